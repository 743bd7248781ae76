/** The client against the server: in one process, and through a listener that is stopped and started under it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, type Followed, type HoldfastClient } from '@holdfast/client'
import { sqlite } from '@holdfast/core/sqlite'
import { afterEach, expect, it } from 'vitest'
import { type Serving, serve } from './node/index.ts'
import { eachServer, pepper } from './testing/each-server.ts'

const user = (words: string) => ({ role: 'user' as const, parts: [{ type: 'text' as const, text: words }] })
const assistant = (words: string) => ({ ...user(words), role: 'assistant' as const })

async function take(items: AsyncIterable<Followed>, count: number): Promise<Followed[]> {
  const taken: Followed[] = []
  for await (const item of items) {
    taken.push(item)
    if (taken.length === count) break
  }
  return taken
}

eachServer('the client, in the process of its server', { heartbeatMs: 1_000 }, (place) => {
  const client = (): HoldfastClient =>
    createClient({ url: 'http://localhost', fetch: (request) => place.server.fetch(request) })

  it('does with a session what can be done with one', async () => {
    const { sessions } = client()
    const { id } = await sessions.create({ agentId: 'agent', ownerUserId: 'u1' })
    await sessions.append(id, [user('Where is my order?'), assistant('On its way.')])
    await sessions.patch(id, { title: 'Order', metadata: { a: 1 } })
    expect(await sessions.get(id)).toMatchObject({ title: 'Order', counters: { exchangeCount: 1 } })
    const { data, next } = await sessions.messages(id)
    expect([data.length, next]).toEqual([2, '4'])
    await sessions.edit(id, data[0]?.id ?? '', user('Where is it?'))
    await sessions.undo(id)
    await sessions.redo(id)
    await sessions.truncate(id, 2)
    await sessions.append(id, user('Again'), { policy: 'enqueue' })
    expect(await sessions.context(id)).toHaveLength(1)
    await sessions.addNote(id, { kind: 'seen' })
    const fork = await sessions.fork(id, { title: 'Branch' })
    expect((await sessions.compare(id, fork.id)).commonSeq).toBeGreaterThan(0)
    expect((await sessions.tree(id)).children).toEqual([])
    const { questionId } = await sessions.ask(id, { questionId: 'q1', question: 'Sure?' })
    expect((await client().questions()).data).toMatchObject([{ id }])
    await sessions.answer(id, questionId, 'yes')
    await sessions.ask(id, { questionId: 'q2', question: 'Really?' })
    await sessions.withdrawQuestion(id, 'q2', 'late')
    await sessions.setTasks(id, { items: [{ id: 't1', description: 'Look' }] })
    expect(await sessions.updateTask(id, { itemId: 't1', status: 'completed' })).toMatchObject({
      status: 'completed',
    })
    expect((await sessions.tasks(id)).items).toHaveLength(1)
    const bytes = new Uint8Array([1, 2, 3])
    const file = await sessions.putAttachment(id, { bytes, mediaType: 'image/png', name: 'a.png' })
    expect(await sessions.getAttachment(id, file.hash)).toEqual(bytes)
    const rest = await sessions.readAttachment(id, file.hash, { offset: 1 })
    expect(await new Response(rest).bytes()).toEqual(bytes.slice(1))
    const again = { bytes: new Blob([bytes]).stream(), mediaType: 'image/png' }
    expect((await sessions.putAttachment(id, again)).hash).toBe(file.hash)
    await sessions.recordUsage(id, { attemptId: 'x', promptTokens: 1, completionTokens: 1 })
    expect((await sessions.usage(id)).data).toHaveLength(1)
    expect((await sessions.usageTotals(id, { tree: true })).rows).toBe(1)
    expect((await client().search('again')).data).not.toEqual([])
    expect((await sessions.events(id, { limit: 1 })).data).toMatchObject([{ type: 'session.created' }])
    await sessions.hold(id, true)
    await expect(sessions.delete(id, { cascade: true })).rejects.toMatchObject({ code: 'session_held' })
    await sessions.hold(id, false)
    expect((await sessions.erase(id, [3])).events).toBeGreaterThan(0)
    await sessions.close(id)
    await expect(sessions.append(id, user('late'))).rejects.toMatchObject({ code: 'session_closed' })
    expect((await sessions.delete(id, { cascade: true })).sessionIds).toContain(fork.id)
    await expect(sessions.get(id)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('works on runs, spawns children, and takes a session out and in again', async () => {
    const { sessions } = client()
    const { id } = await sessions.create({ agentId: 'agent' })
    await sessions.append(id, user('Where is it?'))
    const lease = { owner: 'w1', ttlMs: 60_000 }
    const run = await sessions.startRun(id, lease)
    expect((await sessions.heartbeat(id, run.epoch, 1_000)).runId).toBe(run.runId)
    await sessions.writeRun(id, run.epoch, [{ type: 'suspendRun', reason: 'approval' }])
    const { epoch } = await sessions.resumeRun(id, lease)
    expect((await sessions.stopRun(id, 'late')).changed).toBe(true)
    await expect(sessions.takeOverRun(id, lease)).rejects.toMatchObject({ code: 'lease_held' })
    expect((await sessions.writeRun(id, epoch, [{ type: 'completeRun' }])).state).toBe('completed')
    const { childId } = await sessions.spawnChild(id, { agentId: 'courier' })
    expect(await sessions.count()).toBe(2)
    expect(await sessions.count({ agentId: 'courier' })).toBe(1)
    expect((await sessions.children(id)).data.map((child) => child.id)).toEqual([childId])
    const lines = await new Response(await sessions.export(id)).text()
    await place.fresh()
    expect(await client().importSession(lines)).toMatchObject({ sessionId: id, isNew: true })
    expect((await client().sessions.get(id)).counters.turnCount).toBe(1)
    expect((await client().audit()).data).toMatchObject([{ action: 'POST /v1/imports' }])
    expect((await client().rollUp({ by: ['agentId'] })).data).toEqual([])
  })

  it('keeps records', async () => {
    const { agents } = client()
    for (const id of ['a', 'b', 'c']) await agents.put(id, { name: id })
    const ids = []
    for await (const record of agents.all({ limit: 2 })) ids.push(record.id)
    expect(ids).toEqual(['a', 'b', 'c'])
    await expect(agents.put('a', { name: 'x' }, { expectedVersion: 7 })).rejects.toMatchObject({
      code: 'version_conflict',
    })
    expect((await agents.get('a')).body.name).toBe('a')
  })

  it('follows the fleet', async () => {
    const fleet = client()
    const { sessions } = fleet
    const old = await sessions.create({ agentId: 'agent' })
    const changed: string[] = []
    for await (const { session } of fleet.followFleet({ after: old.createdAt, agentId: 'agent' })) {
      changed.push(session.id)
      if (changed.length === 1) await sessions.append(old.id, user('x'))
      else break
    }
    expect(changed).toEqual([old.id, old.id])
  })

  it('follows, and ends when it is told to', async () => {
    const { sessions } = client()
    const { id } = await sessions.create({ agentId: 'agent' })
    const reading = take(sessions.follow(id, { types: ['message.*'] }), 2)
    await sessions.append(id, [user('one'), user('two')])
    expect((await reading).map(({ cursor }) => cursor)).toEqual(['3', '4'])
    const stop = new AbortController()
    const rest = take(sessions.follow(id, { after: '4', signal: stop.signal }), 9)
    setTimeout(() => stop.abort(), 50)
    expect(await rest).toEqual([])
    await expect(take(sessions.follow('none'), 1)).rejects.toMatchObject({ code: 'not_found' })
  })
})

eachServer('the client with keys', { pepper }, (place) => {
  it('makes, lists and revokes them, and shares a session', async () => {
    const fetch = (request: Request) => place.server.fetch(request)
    const made = await place.server.keys?.create('a' as never, {
      name: 'x',
      scopes: ['read', 'write', 'admin'],
    })
    const admin = createClient({ url: 'http://localhost', fetch, key: made?.key ?? '' })
    const second = await admin.createKey({ name: 'second', scopes: ['read'] })
    const reader = createClient({ url: 'http://localhost', fetch, key: second.key })
    const { id } = await admin.sessions.create({ agentId: 'agent' })
    expect((await reader.sessions.list()).data).toHaveLength(1)
    await expect(reader.sessions.create({ agentId: 'agent' })).rejects.toMatchObject({ code: 'forbidden' })
    const { token } = await admin.sessions.share(id)
    expect((await createClient({ url: 'http://localhost', fetch, key: token }).sessions.get(id)).id).toBe(id)
    expect((await admin.keys()).data).toHaveLength(2)
    await admin.revokeKey(second.id)
    await expect(reader.sessions.list()).rejects.toMatchObject({ code: 'unauthenticated' })
  })
})

let folder: string | undefined
let serving: Serving | undefined
afterEach(async () => {
  await serving?.close()
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  folder = undefined
  serving = undefined
})

it('follows and writes through restarts of the server, without gap, repeat or second effect', async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-client-'))
  const store = sqlite(join(folder, 'sessions.db'))
  const start = (port: number): Promise<Serving> => serve({ store, port, signals: [] })
  serving = await start(0)
  const { url } = serving
  const { sessions } = createClient({ url, retries: 10 })
  const { id } = await sessions.create({ agentId: 'agent' })
  const writes = 60
  const reading = take(sessions.follow(id), writes + 2)
  const writing = (async () => {
    for (let n = 0; n < writes; n++) await sessions.append(id, user(`message ${n}`))
  })()
  for (let restarts = 0; restarts < 3; restarts++) {
    await new Promise((resolve) => setTimeout(resolve, 60))
    await serving.close()
    serving = await start(Number(new URL(url).port))
  }
  await writing
  const items = await reading
  expect(items.map(({ cursor }) => cursor)).toEqual(
    Array.from({ length: writes + 2 }, (_, n) => String(n + 1)),
  )
  const texts = items
    .slice(2)
    .map((item) => item.type === 'event' && (item.event.data as { parts: { text: string }[] }).parts[0]?.text)
  expect(texts).toEqual(Array.from({ length: writes }, (_, n) => `message ${n}`))
})
