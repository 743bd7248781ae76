import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_TENANT, limits, tenantId } from '@holdfast/protocol'
import pg from 'pg'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { memory } from '../../store/memory/index.ts'
import { postgres } from '../../store/postgres/index.ts'
import { TemporaryPlace } from '../../store/postgres/testing/place.ts'
import { sqlite } from '../../store/sqlite/index.ts'
import type { Store, StoreFactory } from '../../store/store.ts'
import type { NewMessage } from '../check-input.ts'
import { type Holdfast, openHoldfast } from '../holdfast.ts'
import { HeldClock } from '../testing/each-store.ts'
import { everything } from '../testing/everything.ts'
import { assistant, user } from '../testing/messages.ts'
import { writeRandomSessions } from '../testing/random-sessions.ts'
import { type CopyOptions, type CopySummary, copyStore } from './copy-store.ts'

const tenant = tenantId(DEFAULT_TENANT)

interface Side {
  store: Store
  holdfast: Holdfast
}

const makes: Readonly<Record<string, () => StoreFactory>> = {
  memory,
  SQLite: () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-copy-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    return sqlite(join(folder, 'sessions.db'))
  },
  Postgres: () => {
    const place = new TemporaryPlace()
    onTestFinished(() => place.drop())
    return postgres(place.url, { driver: pg, schema: place.schema, connections: 4 })
  },
}

const every = [
  ['memory', 'memory'],
  ['SQLite', 'memory'],
  ['SQLite', 'SQLite'],
  ['SQLite', 'Postgres'],
  ['Postgres', 'SQLite'],
] as const
const ways = every.filter(
  (way) => inject('postgresUrl') !== undefined || !way.some((kind) => kind === 'Postgres'),
)

describe.each(ways)('a copy from %s to %s', (fromKind, toKind) => {
  const clock = new HeldClock()

  async function side(kind: string): Promise<Side> {
    const store = await (makes[kind] as () => StoreFactory)().open({ clock: clock.now })
    const holdfast = await openHoldfast({ store, clock: clock.now })
    onTestFinished(async () => {
      await holdfast.close()
      await store.close()
    })
    return { store, holdfast }
  }

  async function sides(): Promise<{
    from: Side
    to: Side
    copy: (options?: CopyOptions) => Promise<CopySummary>
  }> {
    const [from, to] = [await side(fromKind), await side(toKind)]
    return { from, to, copy: (options) => copyStore(from.store, to.store, { tenants: [tenant], ...options }) }
  }

  /** Both sides tell the same of these sessions, and the doctor finds nothing in the copy. */
  async function same({ store, holdfast }: Side, to: Side, sessionIds: readonly string[]): Promise<void> {
    expect(await toldBy(to, sessionIds)).toEqual(await toldBy({ store, holdfast }, sessionIds))
    for (const id of sessionIds) {
      expect(await to.store.readHead(tenant, id)).toEqual(await store.readHead(tenant, id))
      expect(await to.store.listKeys(tenant, id, { limit: 99 })).toEqual(
        await store.listKeys(tenant, id, { limit: 99 }),
      )
    }
    expect(await findingsOf(to.holdfast)).toEqual(await findingsOf(holdfast))
  }

  it('is the same sessions, with forks, usage, drafts that ended, keys and leases; again it writes nothing', async () => {
    const { from, to, copy } = await sides()
    const { holdfast, sessionIds } = await writeRandomSessions(from.store, clock, 7, 250)
    const copied = await copy()
    expect(copied.failed).toEqual([])
    expect(copied).toMatchObject({
      tenants: 1,
      sessions: sessionIds.length,
      verified: sessionIds.length,
      onlyThere: 0,
    })
    await same({ store: from.store, holdfast }, to, await openIds(from.store))
    const again = { events: 0, bytes: 0, written: 0, failed: [] }
    expect(await copy()).toMatchObject({ ...again, verified: sessionIds.length })
    expect(await copy({ skipEqual: true })).toMatchObject({ ...again, verified: 0 })
    await holdfast.close()
  })

  it('brings files, checkpoints and records, and what was written since', async () => {
    const { from, to, copy } = await sides()
    const { sessions } = from.holdfast
    const session = await sessions.create({ id: 's', agentId: 'agent' })
    const image = await session.putAttachment({ bytes: Buffer.from('an image'), mediaType: 'image/png' })
    await session.append({ role: 'user', parts: [{ type: 'image', ...image }] })
    await append(from, 's', user('an image'), 'said')
    await session.putCheckpoint({ checkpointId: 'c1', channels: { a: [1], b: 'x' } })
    await session.putCheckpoint({ checkpointId: 'c2', parentId: 'c1', channels: { a: [1], b: 'y' } })
    await from.holdfast.agents.put('helper', { name: 'Helper', model: 'm' })
    expect(await copy()).toMatchObject({ written: 1, checkpoints: 2, records: 1, failed: [] })
    const copied = await to.holdfast.sessions.open('s')
    expect(Buffer.from((await copied.getAttachment(image.hash)) ?? []).toString()).toBe('an image')
    expect(await copied.getCheckpoint()).toEqual(await session.getCheckpoint())
    expect(await copied.getCheckpoint({ checkpointId: 'c1' })).toEqual(
      await session.getCheckpoint({ checkpointId: 'c1' }),
    )
    expect((await to.holdfast.agents.get('helper'))?.body).toEqual(
      (await from.holdfast.agents.get('helper'))?.body,
    )

    await session.append(assistant('a house'))
    await session.putCheckpoint({ checkpointId: 'c3', channels: { a: [2] } })
    expect(await copy({ skipEqual: true })).toMatchObject({
      written: 1,
      events: 2,
      checkpoints: 1,
      records: 0,
    })
    expect(await copy()).toMatchObject({ written: 0, events: 0, checkpoints: 0, records: 0 })
    await same(from, to, ['s'])
    // A call that is repeated over there is answered with its effect here.
    const repeated = await to.holdfast.sessions.create({ id: 's', agentId: 'agent' })
    expect(repeated.id).toBe('s')
  })

  it('erases there what was erased here since, with the files that went', async () => {
    const { from, to, copy } = await sides()
    const session = await from.holdfast.sessions.create({ id: 's', agentId: 'agent' })
    const image = await session.putAttachment({ bytes: Buffer.from('my face'), mediaType: 'image/png' })
    await session.append({ role: 'user', parts: [{ type: 'image', ...image }] })
    await session.append([assistant('hello'), user('a secret'), assistant('I see')])
    const fork = await session.fork({ id: 'fork' })
    await fork.append(user('go on'))
    expect(await copy()).toMatchObject({ verified: 2, failed: [] })
    const { events } = await session.events({ limit: 99 })
    const seqs = events.filter(({ type }) => type === 'message.appended').map(({ seq }) => seq)
    await from.holdfast.sessions.erase('s', [seqs[0] as number, seqs[2] as number])
    await session.append(user('and now?'))
    expect(await copy()).toMatchObject({ verified: 2, failed: [] })
    await same(from, to, ['s', 'fork'])
    const texts = await to.holdfast.sessions.open('s').then((copied) => copied.eventTexts({ limit: 99 }))
    expect(JSON.stringify(texts)).not.toContain('a secret')
    expect(await to.store.readAttachment(tenant, 's', image.hash)).toBeUndefined()
  })

  it('brings what deleted sessions cost, and deletes there what was deleted here', async () => {
    const { from, to, copy } = await sides()
    for (const id of ['early', 'late', 'stays']) {
      const session = await from.holdfast.sessions.create({ id, agentId: 'agent', ownerUserId: 'u' })
      await session.recordUsage({ attemptId: `of ${id}`, promptTokens: 5, completionTokens: 7, model: 'm' })
    }
    await from.holdfast.sessions.delete('early')
    expect(await copy()).toMatchObject({ verified: 2, deleted: 1, failed: [] })
    expect(await to.holdfast.usage.totals()).toEqual(await from.holdfast.usage.totals())
    await from.holdfast.sessions.delete('late')
    await to.holdfast.sessions.create({ id: 'mine', agentId: 'agent' })
    expect(await copy()).toMatchObject({ verified: 1, deleted: 1, onlyThere: 1, failed: [] })
    expect(await to.holdfast.sessions.get('late')).toBeUndefined()
    expect(await to.holdfast.usage.totals()).toEqual(await from.holdfast.usage.totals())
    expect(await copy()).toMatchObject({ deleted: 0 })
  })

  it('does not delete there what cost more there since', async () => {
    const { from, to, copy } = await sides()
    const session = await from.holdfast.sessions.create({ id: 'moved', agentId: 'agent' })
    const used = { promptTokens: 5, completionTokens: 7, model: 'm' }
    await session.recordUsage({ attemptId: 'here', ...used })
    await copy()
    await to.holdfast.sessions.at('moved').recordUsage({ attemptId: 'there', ...used })
    await from.holdfast.sessions.delete('moved')
    expect(await copy()).toMatchObject({ deleted: 0, onlyThere: 1, failed: [] })
    expect(await to.holdfast.sessions.get('moved')).toBeDefined()
  })

  it('leaves a session alone that went on there, and says so; the others are copied', async () => {
    const { from, to, copy } = await sides()
    for (const id of ['ours', 'theirs', 'longer']) {
      await (await from.holdfast.sessions.create({ id, agentId: 'agent' })).append(user('hello'))
    }
    await copy()
    await append(from, 'theirs', user('one'))
    await append(to, 'theirs', user('another'))
    await append(to, 'longer', user('more'))
    await append(from, 'ours', user('more'))
    const before = await to.store.readHead(tenant, 'theirs')
    const copied = await copy()
    expect(copied).toMatchObject({ verified: 1, written: 1 })
    expect(copied.failed.map(({ sessionId, code }) => [sessionId, code]).toSorted()).toEqual([
      ['longer', 'id_taken'],
      ['theirs', 'id_taken'],
    ])
    expect((await to.store.readHead(tenant, 'theirs'))?.seq).toBe(before?.seq)
  })

  it('of a log that is written to meanwhile is whole up to where it looked, and the next one brings the rest', async () => {
    const { from, to, copy } = await sides()
    const sessions: Awaited<ReturnType<typeof from.holdfast.sessions.create>>[] = []
    for (let n = 0; n < 6; n++) sessions.push(await from.holdfast.sessions.create({ agentId: 'agent' }))
    let isDone = false
    const write = async () => {
      for (let n = 0; !isDone; n++) {
        await Promise.all(sessions.map((session) => session.append(user(`${n}`))))
        await new Promise((resolve) => setTimeout(resolve))
      }
    }
    const writing = write()
    const copies: CopySummary[] = []
    for (let n = 0; n < 4; n++) copies.push(await copy())
    isDone = true
    await writing
    expect(copies.flatMap(({ failed }) => failed)).toEqual([])
    expect(await copy()).toMatchObject({ verified: 6, failed: [] })
    await same(
      from,
      to,
      sessions.map(({ id }) => id),
    )
  })

  it.each([1, 2, 3])(
    'follows random writes, forks and erasures while they are made (seed %i)',
    async (seed) => {
      const { from, to, copy } = await sides()
      let isDone = false
      const writing = writeRandomSessions(from.store, clock, seed, 300).finally(() => {
        isDone = true
      })
      const failed: CopySummary['failed'] = []
      for (let n = 0; n < 25 && !isDone; n++) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        failed.push(...(await copy()).failed)
      }
      const { holdfast } = await writing
      expect(failed).toEqual([])
      const ids = await openIds(from.store)
      expect(await copy()).toMatchObject({ verified: ids.length, failed: [] })
      await same({ store: from.store, holdfast }, to, ids)
      await holdfast.close()
    },
  )

  it('goes on wherever it was killed', async () => {
    const { from, to } = await sides()
    const session = await from.holdfast.sessions.create({ id: 's', agentId: 'agent' })
    for (let n = 0; n < limits.commitEvents + 10; n += 700) {
      await session.append(Array.from({ length: 700 }, (_, i) => user(`${n + i}`)))
      await session.putCheckpoint({ checkpointId: `c${n}`, channels: { n } })
    }
    await from.holdfast.sessions.create({ id: 'other', agentId: 'agent' })
    for (let calls = 1; ; calls++) {
      const dying = dyingAfter(to.store, calls)
      const isDead = await copyStore(from.store, dying, { tenants: [tenant] }).then(
        () => false,
        (error) => String(error).includes('killed'),
      )
      if (!isDead) break
    }
    const copied = await copyStore(from.store, to.store, { tenants: [tenant] })
    expect(copied).toMatchObject({ written: 0, verified: 2, failed: [] })
    await same(from, to, ['other'])
    expect(await to.store.readHead(tenant, 's')).toEqual(await from.store.readHead(tenant, 's'))
    const copy = await to.holdfast.sessions.open('s')
    expect(await copy.getCheckpoint()).toEqual(await session.getCheckpoint())
  })

  it('stops between two sessions when it is told to', async () => {
    const { from, copy } = await sides()
    for (let n = 0; n < 20; n++) await from.holdfast.sessions.create({ agentId: 'agent' })
    const stop = new AbortController()
    const stopped = await copy({
      signal: stop.signal,
      onProgress: ({ sessions }) => sessions > 3 && stop.abort(),
    })
    expect(stopped).toMatchObject({ stopped: true, failed: [] })
    expect(stopped.verified).toBeLessThan(20)
    const copied = await copy()
    expect(copied).toMatchObject({ stopped: false, verified: 20 })
  })
})

async function append(
  { holdfast }: Side,
  sessionId: string,
  message: NewMessage,
  key?: string,
): Promise<unknown> {
  const session = await holdfast.sessions.open(sessionId)
  if (session.lifecycle !== 'created' && session.lifecycle !== 'active') throw new Error(session.lifecycle)
  return session.append(message, key === undefined ? {} : { key })
}

/** Drafts are listed in no order. */
async function toldBy({ store, holdfast }: Side, sessionIds: readonly string[]): Promise<unknown> {
  const told = await everything(store, holdfast, sessionIds)
  const inOrder = (text: string) =>
    JSON.parse(text)
      .map((draft: unknown) => JSON.stringify(draft))
      .toSorted()
  return Object.entries(told).map(([name, text]) => [name, name.startsWith('drafts') ? inOrder(text) : text])
}

async function findingsOf(holdfast: Holdfast): Promise<string[]> {
  const findings: string[] = []
  for await (const { code, message } of holdfast.doctor({ everyTenant: true })) {
    if (code !== 'stray_rows' && code !== 'index_stale') findings.push(message)
  }
  return findings.toSorted()
}

async function openIds(store: Store): Promise<string[]> {
  return (await store.listHeads(tenant, { index: 'all', limit: 1_000 })).map(({ sessionId }) => sessionId)
}

const writes = ['commit', 'putCheckpoint', 'rebuild', 'putRecord', 'deleteSession']

/** Its so-many-th write is done, and nobody hears of it. */
function dyingAfter(store: Store, calls: number): Store {
  let left = calls
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      if (!writes.includes(String(name))) return member.bind(target)
      return async (...args: unknown[]) => {
        if (left <= 0) throw new Error('killed')
        left -= 1
        const answer = await member.apply(target, args)
        if (left === 0) throw new Error('killed')
        return answer
      }
    },
  })
}
