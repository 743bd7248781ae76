/** E: forgetting. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { StoredEvent } from '../../store.ts'
import { attachmentOf, bodyOf, bodyOfBytes, hashOf } from '../build.ts'
import type { StoreCase } from '../case.ts'
import { same, settled } from '../expect.ts'
import type { Trial } from '../trial.ts'

const file = attachmentOf('a file')
const never = 9_999_999_999_999

function erasedBody(row: StoredEvent): string {
  return JSON.stringify({ erased: true, was: row.type, seq: row.seq })
}

/** Three commits, each with everything: seqs 1–2, 3–4, 5–6. */
async function layered(t: Trial): Promise<void> {
  for (const seq of [1, 3, 5]) {
    const commit = t.commit('s', seq - 1, {
      create: seq === 1,
      events: 2,
      parts: [{ part: 'p', body: `${seq}` }],
      refs: [{ kind: 'message', id: `m${seq}`, seq }],
      key: { key: `k${seq}`, hash: 'h', expiresAtMs: never },
      usage: [{}],
      waypoint: true,
    })
    await t.sendAll([commit])
  }
}

export const deletionCases: readonly StoreCase[] = [
  {
    id: 'E1.1',
    clause: 'E1',
    title: 'a deleted session answers every read, list and search as one that never was',
    async run(t) {
      await t.create('s', {
        events: 3,
        head: { ownerUserId: 'o', questionAskedAtMs: 1, questionExpiresAtMs: 2, expiresAtMs: 3 },
        parts: [{ part: 'p', body: '1' }],
        refs: [{ kind: 'message', id: 'm', seq: 1 }],
        key: { key: 'k', hash: 'h', expiresAtMs: never },
        lease: { type: 'take', fromEpoch: 0, owner: 'worker', ttlMs: 60_000 },
        attachments: [file],
        waypoint: true,
      })
      await t.appendDraft(t.draft('s', 1, ['x']))
      const bodies = [{ hash: hashOf('1'), body: '1' }]
      const row = { threadId: 'th', namespace: '', checkpointId: 'c', parentId: undefined }
      const channels = { a: hashOf('1') }
      await t.putCheckpoint({ tenantId: t.tenant, sessionId: 's', ...row, channels, bodies })
      await t.index()
      const outcome = await t.store.deleteSession(t.tenant, 's', { cascade: false })
      same(outcome, { status: 'deleted', sessions: ['s'], events: 3 })

      same(await dumpOf(t, 's'), await dumpOf(t, 'never'))
      same(await t.find(['says']), [])
      same(await t.store.readCheckpoint(t.tenant, 'th', ''), undefined)
      same(await t.store.readCheckpoint(t.tenant, 'th', '', 'c'), undefined)
      same(await t.store.renewLease(t.tenant, 's', 1, 1_000), false)
      same(await t.appendDraft(t.draft('s', 2, ['y'])), { status: 'fenced', epoch: 0 })
      const { tenants } = (await t.dump()) as { tenants: Record<string, Record<string, unknown>> }
      for (const [name, found] of Object.entries(tenants[t.tenant] ?? {})) {
        if (name.startsWith('list') || name.startsWith('due')) same(found, [], name)
      }
    },
  },
  {
    id: 'E1.2',
    clause: 'E1',
    title: 'the usage rows of a deleted session stay in every sum, without user',
    async run(t) {
      const root = { rootSessionId: 'root' }
      await t.create('s', { events: 2, usage: [root, { ...root, costMicrocents: undefined }] })
      await t.create('kept', { usage: [root] })
      const sums = async () => [
        await t.store.sumUsage(t.tenant, {}),
        await t.store.sumUsage(t.tenant, { sessionId: 's' }),
        await t.store.sumUsage(t.tenant, { rootSessionId: 'root' }),
      ]
      const before = await sums()
      const rows = await t.store.readUsage(t.tenant, 's', 0, 10)
      await t.store.deleteSession(t.tenant, 's', { cascade: false })
      same(await sums(), before)
      same(
        await t.store.readUsage(t.tenant, 's', 0, 10),
        rows.map((row) => ({ ...row, ownerUserId: undefined })),
      )
      same((await t.store.readUsage(t.tenant, 'kept', 0, 10))[0]?.ownerUserId, 'owner')
    },
  },
  {
    id: 'E1.3',
    clause: 'E1',
    title: 'deleting what is missing, or was deleted, says so and changes nothing',
    async run(t) {
      await t.create('s')
      await t.store.deleteSession(t.tenant, 's', { cascade: false })
      await t.unchanged(async () => {
        for (const cascade of [false, true]) {
          same(await t.store.deleteSession(t.tenant, 's', { cascade }), { status: 'missing' })
          same(await t.store.deleteSession(t.tenant, 'never', { cascade }), { status: 'missing' })
        }
      })
    },
  },
  {
    id: 'E1.4',
    clause: 'E1',
    title: 'deleting a session leaves its neighbours as they were',
    async run(t) {
      await layered(t)
      await t.create('neighbour', { events: 2, attachments: [file], parts: [{ part: 'p', body: '1' }] })
      const before = await dumpOf(t, 'neighbour')
      await t.store.deleteSession(t.tenant, 's', { cascade: true })
      same(await dumpOf(t, 'neighbour'), before)
    },
  },
  {
    id: 'E2.1',
    clause: 'E2',
    title: 'erased events keep seq, type, version, time and commit and give the erased body; others stay',
    async run(t) {
      await layered(t)
      const before = await t.events('s')
      await t.append('s', { erase: { seqs: [2, 5], erasedBody } })
      const after = await t.events('s')
      same(
        after.slice(0, 6),
        before.map((event) => ([2, 5].includes(event.seq) ? { ...event, body: erasedBody(event) } : event)),
      )
      same(after[6]?.body, bodyOf('s', 7))
      same((await t.store.readHead(t.tenant, 's'))?.seq, 7)
    },
  },
  {
    id: 'E2.2',
    clause: 'E2',
    title:
      'parts, waypoints, refs and keys from the lowest erased seq on are gone; earlier ones and usage stay',
    async run(t) {
      await layered(t)
      const usage = await t.store.readUsage(t.tenant, 's', 0, 10)
      await t.append('s', { erase: { seqs: [4, 6], erasedBody }, events: 1 })
      same(await t.store.readParts(t.tenant, 's', ['p']), new Map([['p', '1']]))
      same((await t.store.readWaypoint(t.tenant, 's', 99))?.seq, 2)
      same(await t.store.readRefs(t.tenant, 's', 'message', 'm1'), [1])
      same(await t.store.readRefs(t.tenant, 's', 'message', 'm3'), [3])
      same(await t.store.readRefs(t.tenant, 's', 'message', 'm5'), [])
      same(await t.store.readKey(t.tenant, 's', 'k1'), { hash: 'h', firstSeq: 1, lastSeq: 2 })
      same(await t.store.readKey(t.tenant, 's', 'k3'), undefined)
      same(await t.store.readKey(t.tenant, 's', 'k5'), undefined)
      same(await t.store.readUsage(t.tenant, 's', 0, 10), usage)
    },
  },
  {
    id: 'E2.3',
    clause: 'E2',
    title: 'what the erasing commit itself brings is kept',
    async run(t) {
      await layered(t)
      await t.append('s', {
        erase: { seqs: [1], erasedBody },
        parts: [{ part: 'p', body: '"anew"' }],
        refs: [{ kind: 'message', id: 'm5', seq: 5 }],
        key: { key: 'k7', hash: 'h', expiresAtMs: never },
        waypoint: true,
      })
      same(await t.store.readParts(t.tenant, 's', ['p']), new Map([['p', '"anew"']]))
      same(await t.store.readParts(t.tenant, 's', ['p'], 6), new Map())
      same(await t.store.readRefs(t.tenant, 's', 'message', 'm5'), [5])
      same(await t.store.readRefs(t.tenant, 's', 'message', 'm1'), [])
      same(await t.store.readKey(t.tenant, 's', 'k7'), { hash: 'h', firstSeq: 7, lastSeq: 7 })
      same((await t.store.readWaypoint(t.tenant, 's', 99))?.seq, 7)
    },
  },
  {
    id: 'E2.4',
    clause: 'E2',
    title: 'open drafts of the session go with an erasure, those of others do not',
    async run(t) {
      await t.createHeld('s')
      await t.createHeld('other')
      await t.appendDraft(t.draft('s', 1, ['x']))
      await t.appendDraft(t.draft('other', 1, ['x']))
      await t.append('s', { erase: { seqs: [1], erasedBody } })
      same(await t.store.listDrafts(t.tenant, 's'), [])
      same(await t.store.readDraft(t.tenant, 's', 'draft', 0), [])
      same((await t.store.listDrafts(t.tenant, 'other')).length, 1)
    },
  },
  {
    id: 'E2.5',
    clause: 'E2',
    title: 'a large body is erased like a small one',
    async run(t) {
      await t.create('s', { events: ['{}', bodyOfBytes(100_000), '{}'] })
      await t.append('s', { erase: { seqs: [2], erasedBody: () => '{"erased":true}' } })
      same((await t.bodies('s')).slice(0, 3), ['{}', '{"erased":true}', '{}'])
    },
  },
  {
    id: 'E2.6',
    clause: 'E2',
    title: 'a fork that erases within its prefix loses what it derived, and leaves the source as it is',
    async run(t) {
      await t.create('source', { events: 3, parts: [{ part: 'p', body: '"source"' }] })
      await t.fork('source', 3, 'fork', { parts: [{ part: 'p', body: '"derived"' }], waypoint: true })
      await t.append('fork', { erase: { seqs: [2], erasedBody } })
      same(await t.store.readParts(t.tenant, 'fork', ['p']), new Map())
      same(await t.store.readWaypoint(t.tenant, 'fork', 99), undefined)
      same(
        await t.bodies('source'),
        [1, 2, 3].map((seq) => bodyOf('source', seq)),
      )
      same(await t.store.readParts(t.tenant, 'source', ['p']), new Map([['p', '"source"']]))
    },
  },
  {
    id: 'E3.1',
    clause: 'E3',
    title: 'after a scrub no file holds the bytes of an erased event, part, key, draft or index row',
    needs: ['files'],
    async run(t) {
      const canary = (name: string) => `canary${name}7f3a91`
      await t.createHeld('s', {
        events: [`"${canary('body')}"`, bodyOfBytes(50_000, canary('aside')), '"kept"'],
        parts: [{ part: 'p', body: `"${canary('part')}"` }],
        refs: [{ kind: 'message', id: canary('ref'), seq: 1 }],
        key: { key: canary('key'), hash: 'h', expiresAtMs: never },
        waypoint: true,
        head: { body: `"${canary('head')}"` },
      })
      await t.appendDraft(t.draft('s', 1, [canary('draft')]))
      await t.index()
      await t.append('s', { erase: { seqs: [1, 2], erasedBody: () => '{"erased":true}' } })
      await t.store.scrub()
      await assertNowhere(t, ['body', 'aside', 'part', 'ref', 'key', 'head', 'draft'].map(canary))
      same((await t.bodies('s')).slice(0, 3), ['{"erased":true}', '{"erased":true}', '"kept"'])
    },
  },
  {
    id: 'E3.2',
    clause: 'E3',
    title: 'after a scrub no file holds the bytes of a deleted session',
    needs: ['files'],
    async run(t) {
      const canary = (name: string) => `canary${name}7f3a91`
      await t.createHeld('s', {
        events: [`"${canary('body')}"`, bodyOfBytes(50_000, canary('aside'))],
        head: { body: `"${canary('head')}"`, ownerUserId: canary('owner') },
        parts: [{ part: 'p', body: `"${canary('part')}"` }],
        attachments: [attachmentOf(canary('file'))],
        usage: [{ ownerUserId: canary('payer') }],
        waypoint: true,
      })
      await t.appendDraft(t.draft('s', 1, [canary('draft')]))
      await t.create('kept', { events: 3 })
      await t.index()
      await t.store.deleteSession(t.tenant, 's', { cascade: false })
      await t.store.scrub()
      await assertNowhere(t, ['body', 'aside', 'head', 'owner', 'part', 'file', 'payer', 'draft'].map(canary))
      same(await t.seqs('kept'), [1, 2, 3])
    },
  },
  {
    id: 'E3.3',
    clause: 'E3',
    title: 'a scrub changes nothing that can be read',
    async run(t) {
      await layered(t)
      await t.create('gone')
      await t.store.deleteSession(t.tenant, 'gone', { cascade: false })
      await t.unchanged(() => t.store.scrub())
      await t.unchanged(() => t.store.scrub())
      await t.append('s')
    },
  },
]

/** What the seam says of one session, without its name; a read that fails gives its code. */
async function dumpOf(t: Trial, sessionId: string): Promise<unknown> {
  t.names.noteSession(t.tenant, sessionId)
  const dumped = await settled(t.dump())
  assert.ok('value' in dumped)
  const { tenants } = dumped.value as { tenants: Record<string, Record<string, unknown>> }
  return tenants[t.tenant]?.[`session ${sessionId}`]
}

async function assertNowhere(t: Trial, canaries: readonly string[]): Promise<void> {
  for (const path of (await t.place.files?.()) ?? []) {
    const bytes = await readFile(path)
    for (const canary of canaries) assert.ok(!bytes.includes(canary), `${path} still holds ${canary}`)
  }
}
