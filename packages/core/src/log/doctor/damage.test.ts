/** Each finding is produced by real damage to a real database, and by nothing else; then a repair does what its table says. */
import { readFileSync, writeFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { limits } from '@holdfast/protocol'
import BetterSqlite3 from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { crcOfEvent } from '../../store/checksum.ts'
import { sqlite } from '../../store/sqlite/index.ts'
import { TemporaryPlace } from '../../store/sqlite/temporary.ts'
import { type Holdfast, openHoldfast } from '../holdfast.ts'
import type { ActiveSession } from '../session-types.ts'
import { eachSharedStore, type TestPlace } from '../testing/each-store.ts'
import { gather } from '../testing/gather.ts'
import { assistant, calling, user } from '../testing/messages.ts'
import type { DoctorOptions } from './doctor.ts'
import { type Finding, type FindingCode, findingCatalogue } from './findings.ts'

interface Scene {
  place: TestPlace
  holdfast: Holdfast
  session: ActiveSession
  sql(text: string): Promise<Record<string, unknown>[]>
  /** The row of a session. */
  row(id: string): string
  /** What belongs to a session. */
  own(id: string): string
}

const worker = { owner: 'worker', ttlMs: 60_000 }

/** A session with one of everything, a fork of it, and all of it indexed. */
async function sceneOn(place: TestPlace): Promise<Scene> {
  const holdfast = await place.open()
  const session = await holdfast.sessions.create({ id: 's', agentId: 'agent', metadata: { colour: 'red' } })
  const run = await (await session.activate()).startRun(worker)
  await run.append(user('hello', { id: 'm1' }))
  const running = await run.startRound()
  await running.append(calling('c1'))
  await running.finishTool({ callId: 'c1', output: 'seen' })
  await running.recordUsage({ attemptId: 'a1', promptTokens: 10, completionTokens: 2 })
  await running.append(assistant('done '.repeat(4_000)))
  await running.completeRound()
  await running.complete()
  const active = (await holdfast.sessions.open('s')) as ActiveSession
  await active.putAttachment({ bytes: Buffer.from('a file'), mediaType: 'text/plain' })
  await active.putCheckpoint({ channels: { state: { step: 1 } } })
  await active.fork({ id: 'f' })
  const other = await holdfast.sessions.create({ id: 'other', agentId: 'agent' })
  await other.append(Array.from({ length: 30 }, (_, n) => user(`${n}`)))
  await holdfast.search('hello')
  return { place, holdfast, session: active, ...behind(place) }
}

/** Numbers come from the server as text. */
function behind(place: TestPlace): Pick<Scene, 'sql' | 'row' | 'own'> {
  const sql = (text: string) => (place.behind as NonNullable<TestPlace['behind']>)(text)
  if (place.dialect === 'postgres') {
    const own = (id: string) => `session = '${id}'`
    return { sql, row: own, own }
  }
  return {
    sql,
    row: (id) => `id = '${id}'`,
    own: (id) => `session = (SELECT session FROM sessions WHERE id = '${id}')`,
  }
}

function eventsOf({ sql, place }: Scene): Promise<Record<string, unknown>[]> {
  return sql(`SELECT * FROM @events ORDER BY ${place.dialect === 'sqlite' ? 'event' : 'session, seq'}`)
}

function allOf({ holdfast }: Pick<Scene, 'holdfast'>, options: DoctorOptions = { everyTenant: true }) {
  return gather(holdfast.doctor(options))
}

function codesOf(findings: readonly Finding[]): FindingCode[] {
  return [...new Set(findings.map(({ code }) => code))].sort()
}

/** Another body for an event, with the checksum that belongs to it: not rot, but a writer that was wrong. */
async function rewrite(
  { sql, own }: Scene,
  type: string,
  change: (body: string) => string,
  newType = type,
): Promise<void> {
  const [row] = await sql(
    `SELECT * FROM @events WHERE ${own('s')} AND type = '${type}' ORDER BY seq DESC LIMIT 1`,
  )
  const { seq, v, at, commit_id, body } = row as {
    seq: number
    v: number
    at: string
    commit_id: string
    body: string
  }
  const changed = change(body)
  const crc = crcOfEvent(seq, commit_id, { type: newType, v, at, body: changed })
  await sql(
    `UPDATE @events SET type = '${newType}', crc = ${crc}, body = '${changed}' WHERE ${own('s')} AND seq = ${seq}`,
  )
}

async function rewriteHead({ sql, row }: Scene, change: (head: string) => string): Promise<void> {
  const [found] = await sql(`SELECT head FROM @sessions WHERE ${row('s')}`)
  const head = change(String(found?.head))
  await sql(`UPDATE @sessions SET head = '${head}', head_crc = ${crc32(head)} WHERE ${row('s')}`)
}

interface Damage {
  /** Postgres keeps no checksum of such rows. */
  only?: 'sqlite'
  do(scene: Scene): unknown
  /** What else this damage shows as. */
  also?: FindingCode[]
  /** What a repair leaves. */
  left?: FindingCode[]
}

const left = (code: FindingCode, also: FindingCode[] = []) => ({ also, left: [code, ...also].sort() })

/** The last two are no damage: `prove/standbys.slow.test.ts` has a server with others beside it. */
type Undamaging = 'setting_lost' | 'engine_damaged' | 'at_risk' | 'replicated'

const damages: Record<Exclude<FindingCode, Undamaging>, Damage> = {
  event_damaged: {
    do: ({ sql, own }) => sql(`UPDATE @events SET body = replace(body, 'hello', 'hullo') WHERE ${own('s')}`),
    ...left('event_damaged'),
  },
  event_invalid: {
    do: (scene) => rewrite(scene, 'run.completed', (body) => body.replace(/"data":.*/, '"data":{}}')),
    ...left('event_invalid'),
  },
  event_unknown: {
    do: (scene) => rewrite(scene, 'note.added', (body) => body, 'note.of_the_future'),
    ...left('event_unknown'),
  },
  segments_wrong: {
    do: ({ sql, row }) =>
      sql(`UPDATE @segments SET source = (SELECT session FROM @sessions WHERE ${row('other')})`),
    ...left('segments_wrong'),
  },
  unpaired: {
    do: (scene) => rewrite(scene, 'tool.finished', (body) => body.replace('"c1"', '"c2"')),
    also: ['head_wrong', 'refs_wrong'],
    left: ['unpaired'],
  },
  id_wrong: {
    only: 'sqlite',
    do: ({ sql, row }) => sql(`UPDATE sessions SET id = 'q' WHERE ${row('f')}`),
    ...left('id_wrong'),
  },
  seq_wrong: { do: ({ sql, row }) => sql(`UPDATE @sessions SET seq = seq - 1 WHERE ${row('s')}`) },
  head_wrong: {
    do: ({ sql, row }) => sql(`UPDATE @sessions SET head = substr(head, 1, 30) WHERE ${row('s')}`),
  },
  head_newer: {
    do: (scene) => rewriteHead(scene, (head) => head.replace('"v":1', '"v":2')),
    ...left('head_newer'),
  },
  columns_wrong: {
    do: ({ sql, row, place }) => {
      const table = place.dialect === 'sqlite' ? 'sessions' : 'listings'
      return sql(`UPDATE @${table} SET agent = 'another', activity = 7 WHERE ${row('s')}`)
    },
  },
  part_wrong: {
    do: ({ sql, own }) =>
      sql(`UPDATE @parts SET body = '{"colour":"blue"}' WHERE part = 'metadata' AND ${own('s')}`),
  },
  waypoint_wrong: { do: ({ sql }) => sql('DELETE FROM @waypoints') },
  refs_wrong: {
    do: ({ sql }) => sql("UPDATE @refs SET id = 'm2' WHERE kind = 'message' AND id = 'm1'"),
  },
  usage_wrong: { do: ({ sql }) => sql('UPDATE @usage SET prompt_tokens = 11') },
  lease_wrong: { do: ({ sql, row }) => sql(`UPDATE @sessions SET epoch = 0 WHERE ${row('s')}`) },
  attachment_damaged: {
    do: ({ sql }) => sql('UPDATE @attachments SET bytes = substr(bytes, 2) WHERE is_file'),
    ...left('attachment_damaged'),
  },
  run_lost: {
    async do({ session, place }) {
      const run = await session.startRun(worker)
      await run.append(calling('c9'))
      place.clock.advance(worker.ttlMs)
    },
  },
  calls_open: {
    async do({ session, place }) {
      await session.append(calling('c9'))
      place.clock.advance(600_000)
    },
  },
  child_open: {
    async do({ session, holdfast, place }) {
      await session.spawnChild({ agentId: 'agent', childId: 'gone' })
      await session.spawnChild({ agentId: 'agent', childId: 'closed' })
      await holdfast.sessions.delete('gone')
      const closed = (await holdfast.sessions.open('closed')) as ActiveSession
      await closed.close()
      expect(codesOf(await allOf({ holdfast }))).toEqual([])
      place.clock.advance(600_000)
    },
  },
  draft_stray: {
    do: async ({ sql, row, place }) => {
      if (place.dialect === 'sqlite') {
        await sql(
          `INSERT INTO drafts (session, id, run, epoch, last, crc) SELECT session, 'd', 'gone', 1, 1, -1 FROM sessions WHERE ${row('s')}`,
        )
        await sql(
          "INSERT INTO chunks (draft, chunk, kind, text, session, crc) SELECT draft, 1, 'text', 'half a word', session, -1 FROM drafts",
        )
      } else {
        await sql("INSERT INTO @drafts VALUES ('default', 's', 'd', 'gone', 1, 1)")
        await sql(`INSERT INTO @chunks VALUES ('default', 's', 'd', 1, 'text', '"half a word"')`)
      }
    },
  },
  draft_damaged: {
    async do({ session, sql }) {
      const run = await session.startRun(worker)
      for (const text of ['one', 'two']) {
        const draft = run.draft('d')
        draft.write(text)
        await draft.flush().catch(() => undefined)
      }
      await sql('UPDATE @drafts SET last = 2')
    },
    ...left('draft_damaged'),
  },
  schema_moved: {
    do: ({ sql, place }) =>
      sql(
        place.dialect === 'sqlite' ? 'PRAGMA user_version = 99' : 'INSERT INTO @schema_version VALUES (99)',
      ),
    ...left('schema_moved'),
  },
  session_lost: {
    do: ({ sql, row }) => sql(`DELETE FROM @sessions WHERE ${row('f')}`),
    ...left('session_lost'),
  },
  stray_rows: {
    do: async ({ sql, row, place }) => {
      if (place.dialect === 'sqlite') {
        await sql(`INSERT INTO garbage SELECT session FROM sessions WHERE ${row('f')}`)
        await sql(
          `INSERT INTO bodies SELECT session, x'00', 'nobody names it' FROM sessions WHERE ${row('s')}`,
        )
      } else {
        await sql("INSERT INTO @garbage VALUES ('default', 'f')")
        await sql(String.raw`INSERT INTO @bodies VALUES ('default', 's', '\x00', 'nobody names it')`)
      }
      await sql(`DELETE FROM @sessions WHERE ${row('f')}`)
    },
  },
  draft_lost: {
    async do({ session, sql }) {
      const run = await session.startRun(worker)
      const draft = run.draft('d')
      draft.write('half a word')
      await draft.flush()
      await sql('DELETE FROM @drafts')
    },
    ...left('draft_lost'),
  },
  tenant_lost: {
    only: 'sqlite',
    do: ({ sql }) => sql('DELETE FROM tenants'),
    ...left('tenant_lost'),
  },
  erasures_wrong: { only: 'sqlite', do: ({ sql }) => sql('UPDATE upkeep SET scrubbed = scrubbed + 1000') },
  garbage_wrong: {
    do: ({ sql, row, place }) =>
      sql(
        place.dialect === 'sqlite'
          ? `INSERT INTO garbage SELECT session FROM sessions WHERE ${row('s')}`
          : "INSERT INTO @garbage VALUES ('default', 's')",
      ),
  },
  checkpoint_damaged: {
    do: ({ sql }) => sql('DELETE FROM @attachments WHERE NOT is_file'),
    ...left('checkpoint_damaged'),
  },
  row_damaged: {
    only: 'sqlite',
    async do({ holdfast, sql }) {
      await holdfast.agents.put('painter', { name: 'Painter', instructions: 'Be brief.' })
      await sql("UPDATE records SET body = replace(body, 'brief', 'grief')")
    },
    ...left('row_damaged'),
  },
  index_stale: {
    do: async ({ session, sql, place }) => {
      await session.append(user('never indexed'))
      if (place.dialect === 'sqlite') {
        await sql('UPDATE upkeep SET watermark = watermark + 9')
        await sql('DELETE FROM search WHERE rowid = (SELECT min(rowid) FROM search)')
      } else {
        await sql("UPDATE @sessions SET indexed = indexed + 9 WHERE session = 's'")
        await sql("DELETE FROM @search WHERE session = 'other'")
        await sql(
          "UPDATE @search SET seq = 900 WHERE session = 's' AND seq = (SELECT min(seq) FROM @search WHERE session = 's')",
        )
      }
    },
  },
}

eachSharedStore('the doctor', (place) => {
  for (const [code, damage] of Object.entries(damages)) {
    it(`finds ${code}, and a repair does what can be done`, async () => {
      if (!place.behind || (damage.only ?? place.dialect) !== place.dialect) return
      const scene = await sceneOn(place)
      expect(await allOf(scene)).toEqual([])
      await damage.do(scene)
      const found = await allOf(scene)
      expect(codesOf(found)).toEqual([code, ...(damage.also ?? [])].sort())
      for (const finding of found) expect(finding).toMatchObject(entryOf(finding.code))

      const before = await eventsOf(scene)
      const planned = await scene.holdfast.repair(found, { dryRun: true })
      expect(await eventsOf(scene)).toEqual(before)
      const done = await scene.holdfast.repair(scene.holdfast.doctor({ everyTenant: true }))
      expect(codesOf(done.left)).toEqual(damage.left ?? [])
      expect([codesOf(planned.repaired), codesOf(planned.left)]).toEqual([
        codesOf(done.repaired),
        codesOf(done.left),
      ])
      expect(codesOf(await allOf(scene))).toEqual(damage.left ?? [])
      const after = await eventsOf(scene)
      if (code !== 'stray_rows') expect(after).toEqual(expect.arrayContaining(before))

      const again = await scene.holdfast.repair(scene.holdfast.doctor({ everyTenant: true }))
      expect([again.repaired, codesOf(again.left)]).toEqual([[], damage.left ?? []])
      expect(await eventsOf(scene)).toEqual(after)
    })
  }
})

eachSharedStore('damage of several places at once', (place) => {
  it('is repaired at once, although the row of the session hides the rest of it', async () => {
    if (!place.behind) return
    const scene = await sceneOn(place)
    await scene.sql(`UPDATE @sessions SET seq = seq - 2 WHERE ${scene.row('s')}`)
    await scene.sql("DELETE FROM @refs WHERE kind = 'message'")
    expect(codesOf(await allOf(scene, { sessionId: 's' }))).toEqual(['seq_wrong'])
    const { repaired } = await scene.holdfast.repair('s')
    expect(codesOf(repaired)).toEqual(['refs_wrong', 'seq_wrong'])
    expect(await allOf(scene)).toEqual([])
  })

  it('is found where a fork would read some of its events twice', async () => {
    if (!place.behind) return
    const scene = await sceneOn(place)
    if (place.dialect === 'postgres') {
      await scene.sql(`UPDATE @sessions SET base = base - 3 WHERE ${scene.row('f')}`)
    } else {
      await scene.sql(`UPDATE sessions SET base = base - 3, crc = -1 WHERE ${scene.row('f')}`)
      await scene.sql('UPDATE segments SET last = last - 3, crc = -1')
    }
    expect(codesOf(await allOf(scene))).toEqual(['event_damaged'])
  })

  it('in a head that was written from since is not written again after its repair', async () => {
    if (!place.behind) return
    const scene = await sceneOn(place)
    await rewriteHead(scene, (head) => head.replace('"messageCount":', '"messageCount":9'))
    const holdfast = await place.open()
    const session = (await holdfast.sessions.open('s')) as ActiveSession
    await session.append(user('on the wrong head'))
    expect(codesOf((await holdfast.repair('s')).repaired)).toEqual(['head_wrong'])
    await session.append(user('on the right one'))
    expect(await allOf(scene)).toEqual([])
  })
})

const changes: readonly [string, FindingCode, string][] = [
  ['the base of a fork', 'seq_wrong', "UPDATE sessions SET base = base - 3 WHERE id = 'f'"],
  ['when a session was erased', 'seq_wrong', "UPDATE sessions SET erased = 1 WHERE id = 's'"],
  ['the check of a seq', 'seq_wrong', "UPDATE sessions SET seq_check = 1 WHERE id = 's'"],
  ['the checksum of a row', 'seq_wrong', "UPDATE sessions SET crc = 1 WHERE id = 's'"],
  ['the end of a lease', 'lease_wrong', "UPDATE sessions SET lease_expires = 9e15 WHERE id = 's'"],
  ['the checksum of a lease', 'lease_wrong', "UPDATE sessions SET lease_crc = 1 WHERE id = 's'"],
  ['the checksum of columns', 'columns_wrong', "UPDATE sessions SET columns_crc = 1 WHERE id = 's'"],
  ['the checksum of refs', 'refs_wrong', 'UPDATE refs SET crc = 1'],
  ['the checksum of the ledger', 'usage_wrong', 'UPDATE usage SET crc = 1'],
  ['the figures of the ledger', 'usage_wrong', 'UPDATE usage SET figures = 1'],
  ['the price book of a ledger row', 'usage_wrong', "UPDATE usage SET price_book = 'x'"],
  ['the checksum of a kept head', 'waypoint_wrong', 'UPDATE waypoints SET crc = 1'],
  ['the checksum of a part', 'part_wrong', 'UPDATE parts SET crc = 1'],
]

eachSharedStore('a row whose checksum tells', (place) => {
  it.each(changes)('%s: it is found and put in place with its checksum', async (_, code, change) => {
    if (place.path === undefined) return
    const scene = await sceneOn(place)
    const told = async () => [
      (await (await scene.holdfast.sessions.open('f')).events({ limit: 100 })).events,
      await scene.holdfast.usage.totals(),
      await scene.holdfast.usage.list('s'),
    ]
    const before = await told()
    await scene.sql(change)
    expect(codesOf(await allOf(scene))).toEqual([code])
    expect((await scene.holdfast.repair(scene.holdfast.doctor({ everyTenant: true }))).left).toEqual([])
    expect(await allOf(scene)).toEqual([])
    const nulls = await scene.sql(`
      SELECT 1 FROM sessions WHERE crc IS NULL OR seq_check IS NULL OR lease_crc IS NULL OR columns_crc IS NULL
      UNION ALL SELECT 1 FROM refs WHERE crc IS NULL UNION ALL SELECT 1 FROM usage WHERE crc IS NULL OR figures IS NULL`)
    expect(nulls).toEqual([])
    expect(await told()).toEqual(before)
    await scene.session.append(user('and on'))
  })

  it('the lease of a live run: its worker keeps it, or loses it when it is not renewed', async () => {
    if (place.path === undefined) return
    const scene = await sceneOn(place)
    const run = await scene.session.startRun(worker)
    await scene.sql(`UPDATE sessions SET lease_owner = 'walker' WHERE id = 's'`)
    expect(codesOf(await allOf(scene))).toEqual(['lease_wrong'])
    expect(codesOf((await scene.holdfast.repair('s')).repaired)).toEqual(['lease_wrong'])
    expect(await allOf(scene)).toEqual([])
    await run.append(assistant('still here'))
    place.clock.advance(limits.leaseTtlMs - 1)
    expect(await allOf(scene)).toEqual([])
    place.clock.advance(1)
    expect(codesOf(await allOf(scene))).toEqual(['run_lost'])
    await scene.holdfast.repair('s')
    expect(await allOf(scene)).toEqual([])
  })

  it('several of the ledger, among others of the same event', async () => {
    if (place.path === undefined) return
    const scene = await sceneOn(place)
    const run = await scene.session.startRun(worker)
    for (let n = 2; n < 9; n++)
      await run.recordUsage({ attemptId: `a${n}`, promptTokens: n, completionTokens: 1 })
    await run.complete()
    const before = await scene.holdfast.usage.list('s')
    await scene.sql('UPDATE usage SET prompt_tokens = 1 WHERE prompt_tokens IN (3, 4, 8)')
    await scene.sql('INSERT INTO usage SELECT * FROM usage WHERE prompt_tokens = 1 LIMIT 1')
    expect(codesOf(await allOf(scene))).toEqual(['usage_wrong'])
    expect((await scene.holdfast.repair('s')).left).toEqual([])
    expect(await scene.holdfast.usage.list('s')).toEqual(before)
  })

  const unlogged: readonly [string, string, (scene: Scene) => Promise<unknown>][] = [
    [
      'an idempotency key',
      'UPDATE keys SET last = last + 1',
      ({ session }) => session.append(user('once'), { key: 'k' }),
    ],
    [
      'a tombstone',
      "UPDATE tombstones SET id = 'of another'",
      async ({ holdfast }) => {
        await holdfast.sessions.create({ id: 'gone', agentId: 'agent' })
        await holdfast.sessions.delete('gone')
      },
    ],
    [
      'a closed draft',
      "UPDATE refs SET id = 'e' WHERE kind = 'draft'",
      async ({ session }) => {
        const run = await session.startRun(worker)
        const draft = run.draft('d')
        draft.write('half a word')
        await draft.flush()
        await run.complete()
      },
    ],
    [
      'the bill of a session that is gone',
      'UPDATE usage SET completion_tokens = 3',
      ({ holdfast }) => holdfast.sessions.delete('s', { cascade: true }),
    ],
  ]
  it.each(unlogged)('%s: it is found', async (_, change, write) => {
    if (place.path === undefined) return
    const scene = await sceneOn(place)
    await write(scene)
    expect(await allOf(scene)).toEqual([])
    await scene.sql(change)
    const found = await allOf(scene)
    expect(codesOf(found)).toEqual(['row_damaged'])
    expect((await scene.holdfast.repair(found)).left).toEqual(found)
  })
})

function entryOf(code: FindingCode) {
  const { severity, repair } = findingCatalogue[code]
  return { severity, repair }
}

describe('the doctor of a file', () => {
  it('finds engine_damaged: an index that says another thing than its table', async () => {
    const place = new TemporaryPlace()
    const first = await openHoldfast({ store: sqlite(place.path) })
    await first.sessions.create({ agentId: 'agent-of-the-index' })
    await first.close()
    damageIndex(place.path, 'agent-of-the-index')
    const holdfast = await openHoldfast({ store: sqlite(place.path) })
    const found = await allOf({ holdfast })
    expect(codesOf(found)).toEqual(['engine_damaged'])
    expect(codesOf((await holdfast.repair(found)).left)).toEqual(['engine_damaged'])
    await holdfast.close()
    place.remove()
  })

  it('finds setting_lost: a setting that is not what it was when the file was opened', async () => {
    const place = new TemporaryPlace()
    const opened: BetterSqlite3.Database[] = []
    class Kept extends BetterSqlite3 {
      constructor(path: string) {
        super(path)
        opened.push(this)
      }
    }
    const holdfast = await openHoldfast({ store: sqlite(place.path, { driver: Kept }) })
    expect(await allOf({ holdfast })).toEqual([])
    opened[0]?.exec('PRAGMA synchronous = OFF')
    const found = await allOf({ holdfast })
    expect(codesOf(found)).toEqual(['setting_lost'])
    expect(found[0]?.message).toContain('synchronous was 2')
    expect(codesOf((await holdfast.repair(found)).left)).toEqual(['setting_lost'])
    await holdfast.close()
    place.remove()
  })
})

/** Changes one letter where an index says it, and not where the row does. */
function damageIndex(path: string, text: string): void {
  const bytes = readFileSync(path)
  const pageBytes = bytes.readUInt16BE(16)
  const indexLeaf = 0x0a
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    if (bytes[at - (at % pageBytes)] === indexLeaf) bytes[at] = 'b'.charCodeAt(0)
  }
  writeFileSync(path, bytes)
}
