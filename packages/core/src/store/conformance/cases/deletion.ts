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
      'parts, waypoints and refs from the lowest erased seq on are gone; earlier ones, all keys and usage stay',
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
      same(await t.store.readKey(t.tenant, 's', 'k3'), { hash: 'h', firstSeq: 3, lastSeq: 4 })
      same(await t.store.readKey(t.tenant, 's', 'k5'), { hash: 'h', firstSeq: 5, lastSeq: 6 })
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
    id: 'E2.7',
    clause: 'E2',
    title: 'attachments that an erasure names are gone, in forks too; others of the session stay',
    async run(t) {
      const [gone, kept] = [attachmentOf('gone'), attachmentOf('kept')]
      await t.create('s', { events: 2, attachments: [gone, kept] })
      await t.create('other', { attachments: [gone] })
      await t.fork('s', 2, 'fork')
      await t.append('s', { erase: { seqs: [1], erasedBody, attachments: [gone.hash] } })
      for (const session of ['s', 'fork']) {
        same(await t.store.readAttachment(t.tenant, session, gone.hash), undefined)
        same(await textOf(t, session, kept.hash), 'kept')
      }
      same(await textOf(t, 'other', gone.hash), 'gone')
      await t.append('s', { attachments: [gone] })
      same(await textOf(t, 's', gone.hash), 'gone')
    },
  },
  {
    id: 'E2.8',
    clause: 'E2',
    title: 'checkpoints written from the lowest erased seq on are gone with the bodies that were only theirs',
    async run(t) {
      const file = attachmentOf('a file and a channel')
      await t.create('s', { events: 2, attachments: [file] })
      await t.create('other')
      await save(t, 's', 'early', ['shared', 'early'])
      await save(t, 'other', 'other', ['late'])
      await t.append('s', { events: 2 })
      await save(t, 's', 'late', ['shared', 'late', 'a file and a channel'])
      await t.append('s', { erase: { seqs: [3], erasedBody } })
      same((await t.store.readCheckpoint(t.tenant, 'th s', ''))?.checkpointId, 'early')
      same(await t.store.readCheckpoint(t.tenant, 'th s', '', 'late'), undefined)
      same((await t.store.readCheckpoint(t.tenant, 'th other', ''))?.checkpointId, 'other')
      same(await t.store.readAttachment(t.tenant, 's', hashOf('late')), undefined)
      for (const body of ['shared', 'early', 'a file and a channel']) {
        same(await textOf(t, 's', hashOf(body)), body)
      }
      same(await textOf(t, 'other', hashOf('late')), 'late')
    },
  },
  {
    id: 'E2.9',
    clause: 'E2',
    title:
      'a body stays that a checkpoint of a fork from before the erased seqs names, and a file that one names',
    async run(t) {
      const file = attachmentOf('file')
      await t.create('s', { events: 2, attachments: [file] })
      await save(t, 's', 'c', ['body'])
      await t.fork('s', 2, 'fork')
      await save(t, 'fork', 'of fork', ['body', 'file'], [])
      await save(t, 's', 'c', ['anew'])
      await t.append('s', { events: 1 })
      await t.append('s', { erase: { seqs: [3], erasedBody, attachments: [file.hash] } })
      same(await textOf(t, 'fork', hashOf('body')), 'body')
      same(await textOf(t, 'fork', file.hash), 'file')
      await t.append('s', { erase: { seqs: [1], erasedBody, attachments: [file.hash] } })
      same(await t.store.readAttachment(t.tenant, 'fork', hashOf('body')), undefined)
      same(await t.store.readAttachment(t.tenant, 'fork', file.hash), undefined)
    },
  },
  {
    id: 'E3.1',
    clause: 'E3',
    title:
      'after a scrub no file holds the bytes of an erased event, part, attachment, checkpoint, draft or index row',
    needs: ['files'],
    async run(t) {
      const canary = (name: string) => `canary${name}7f3a91`
      await t.createHeld('s', {
        events: [`"${canary('body')}"`, bodyOfBytes(50_000, canary('aside')), '"kept"'],
        parts: [{ part: 'p', body: `"${canary('part')}"` }],
        refs: [{ kind: 'message', id: canary('ref'), seq: 1 }],
        attachments: [attachmentOf(canary('file'))],
        waypoint: true,
        head: { body: `"${canary('head')}"` },
      })
      await save(t, 's', 'c', [canary('channel')])
      await t.appendDraft(t.draft('s', 1, [canary('draft')]))
      await t.index()
      await t.append('s', {
        erase: {
          seqs: [1, 2],
          erasedBody: () => '{"erased":true}',
          attachments: [hashOf(canary('file'))],
        },
      })
      await t.store.scrub()
      const kinds = ['body', 'aside', 'part', 'ref', 'file', 'channel', 'head', 'draft']
      await assertNowhere(t, kinds.map(canary))
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
  {
    id: 'E4.1',
    clause: 'E4',
    title: 'a deletion decided on an older head deletes nothing, one decided on the newest does',
    async run(t) {
      await t.create('s', { events: 2 })
      await t.append('s')
      await t.fork('s', 1, 'fork')
      await t.unchanged(async () => {
        for (const cascade of [false, true]) {
          const outcome = await t.store.deleteSession(t.tenant, 's', { cascade, seq: 2 })
          same(outcome, { status: 'moved', seq: 3 })
        }
      })
      const fork = await t.store.deleteSession(t.tenant, 'fork', { cascade: false, seq: 2 })
      same(fork, { status: 'deleted', sessions: ['fork'], events: 1 })
      const source = await t.store.deleteSession(t.tenant, 's', { cascade: false, seq: 3 })
      same(source, { status: 'deleted', sessions: ['s'], events: 3 })
      same(await t.store.deleteSession(t.tenant, 's', { cascade: false, seq: 3 }), { status: 'missing' })
    },
  },
  {
    id: 'E4.2',
    clause: 'E4',
    title: 'of a deletion and an append on the same head exactly one takes effect',
    async run(t) {
      for (let round = 0; round < 8; round += 1) {
        const id = `s${round}`
        await t.create(id)
        const sent = [
          () => t.store.commit([t.commit(id, 1)]),
          () => t.store.deleteSession(t.tenant, id, { cascade: false, seq: 1 }),
        ] as const
        const [committed, deleted] = await bothAtOnce(...sent, round % 2 === 1)
        const isDeleted = deleted.status === 'deleted'
        same(committed[0]?.status, isDeleted ? 'conflict' : 'committed')
        same((await t.store.readHead(t.tenant, id))?.seq, isDeleted ? undefined : 2)
      }
    },
  },
]

/** A checkpoint of the session's own thread, with a channel for each body. */
async function save(
  t: Trial,
  sessionId: string,
  checkpointId: string,
  named: readonly string[],
  brought = named,
): Promise<void> {
  const channels = Object.fromEntries(named.map((body) => [body, hashOf(body)]))
  const bodies = brought.map((body) => ({ hash: hashOf(body), body }))
  const row = { threadId: `th ${sessionId}`, namespace: '', checkpointId, parentId: undefined }
  await t.putCheckpoint({ tenantId: t.tenant, sessionId, ...row, channels, bodies })
}

async function textOf(t: Trial, sessionId: string, hash: string): Promise<string | undefined> {
  const bytes = await t.store.readAttachment(t.tenant, sessionId, hash)
  return bytes && Buffer.from(bytes).toString()
}

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

async function bothAtOnce<A, B>(
  a: () => Promise<A>,
  b: () => Promise<B>,
  isReversed: boolean,
): Promise<[A, B]> {
  const first = isReversed ? b() : a()
  const second = isReversed ? a() : b()
  const [x, y] = await Promise.all([first, second])
  return (isReversed ? [y, x] : [x, y]) as [A, B]
}
