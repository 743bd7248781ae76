/** I: reading what is stored as it stands, replacing what is derived, and finding damage. */
import { limits } from '@holdfast/protocol'
import type { Rebuild, StoreFinding } from '../../store.ts'
import { attachmentOf, bodyOfBytes, hashOf, headFor, usageOf } from '../build.ts'
import type { StoreCase } from '../case.ts'
import { same } from '../expect.ts'
import type { Trial } from '../trial.ts'

function rebuildOf(t: Trial, sessionId: string, lastSeq: number, rest: Partial<Rebuild> = {}): Rebuild {
  const nothing = { parts: [], waypoints: [], refs: [], strayRefs: [], usage: [], usageSeqs: [] }
  return { tenantId: t.tenant, sessionId, lastSeq, ...nothing, ...rest }
}

async function refsIn(t: Trial, sessionId: string, from: number, through: number): Promise<string[]> {
  const refs = await t.store.listRefs(t.tenant, sessionId, from, through)
  return refs.map(({ kind, id, seq }) => `${kind} ${id} ${seq}`).sort()
}

async function findings(t: Trial): Promise<StoreFinding[]> {
  const found: StoreFinding[] = []
  for await (const finding of t.store.checkStore((_, body) => body)) found.push(finding)
  return found
}

export const damageCases: readonly StoreCase[] = [
  {
    id: 'I1.1',
    clause: 'I1',
    title: 'the row of a session gives its seq, its head with every column, its lease and its last event',
    async run(t) {
      const head = { ownerUserId: 'owner', questionAskedAtMs: 5, questionExpiresAtMs: 6, expiresAtMs: 7 }
      await t.createHeld('s', { events: 3, head })
      const raw = await t.store.readRawSession(t.tenant, 's')
      const lease = await t.lease('s')
      same(raw, { seq: 4, lastSeq: 4, head: headFor('s', 4), lease })
      await t.append('s', { head })
      same((await t.store.readRawSession(t.tenant, 's'))?.head, { ...headFor('s', 5), ...head })
      await t.fork('s', 2, 'fork')
      const fork = await t.store.readRawSession(t.tenant, 'fork')
      same([fork?.seq, fork?.lastSeq], [3, 3])
    },
  },
  {
    id: 'I1.2',
    clause: 'I1',
    title: 'own refs are given by a range of seqs, without those that close a draft',
    async run(t) {
      const ref = (kind: string, id: string, seq: number) => ({ kind, id, seq })
      await t.create('s', { events: 3, refs: [ref('call', 'c', 1), ref('call', 'c', 3), ref('run', 'r', 2)] })
      await t.append('s', { refs: [ref('call', 'c', 4)], dropDrafts: ['d'] })
      await t.fork('s', 3, 'fork', { refs: [ref('call', 'own', 4)] })
      same(await refsIn(t, 's', 1, 4), ['call c 1', 'call c 3', 'call c 4', 'run r 2'])
      same(await refsIn(t, 's', 2, 3), ['call c 3', 'run r 2'])
      same(await refsIn(t, 's', 5, 9), [])
      same((await refsIn(t, 's', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).length, 4)
      same(await refsIn(t, 'fork', 0, 9), ['call own 4'])
    },
  },
  {
    id: 'I2.1',
    clause: 'I2',
    title: 'each derived row is replaced where it stands, and the head with its place in every list',
    async run(t) {
      const ref = (id: string, seq: number) => ({ kind: 'call', id, seq })
      await t.create('s', {
        events: 3,
        parts: [{ part: 'p', body: '"old"' }],
        refs: [ref('good', 1), ref('bad', 2)],
        usage: [{}, {}],
        waypoint: true,
      })
      const head = { ...headFor('s', 3), body: '"new"', agentId: 'other', activity: 9, expiresAtMs: 77 }
      const row = { ...usageOf('s', 2), promptTokens: 7 }
      const rebuilt = rebuildOf(t, 's', 3, {
        head,
        parts: [
          { part: 'p', seq: 3, body: '"new"' },
          { part: 'q', seq: 2, body: '"two"' },
        ],
        waypoints: [
          { seq: 3, body: '"at 3"' },
          { seq: 2, body: '"at 2"' },
        ],
        refs: [ref('good', 1), ref('late', 3)],
        strayRefs: [ref('bad', 2)],
        usage: [row],
        usageSeqs: [2],
      })
      same(await t.store.rebuild(rebuilt), true)
      same((await t.store.readRawSession(t.tenant, 's'))?.head, head)
      same(await refsIn(t, 's', 1, 3), ['call good 1', 'call late 3'])
      const read = (atSeq: number) => t.store.readParts(t.tenant, 's', ['p', 'q'], atSeq)
      same(await read(2), new Map([['q', '"two"']]))
      same((await read(3)).get('p'), '"new"')
      same(await t.store.readWaypoint(t.tenant, 's', 2), { seq: 2, body: '"at 2"' })
      same(await t.store.readWaypoint(t.tenant, 's', 9), { seq: 3, body: '"at 3"' })
      same(await t.store.readUsage(t.tenant, 's', Number.MIN_SAFE_INTEGER, 9), [usageOf('s', 1), row])
      same(await t.store.listDue(t.tenant, 'expiry', 77, 9), ['s'])
      const listed = await t.store.listHeads(t.tenant, { index: 'agent', value: 'other', limit: 9 })
      same(
        listed.map(({ sessionId, body }) => `${sessionId} ${body}`),
        ['s "new"'],
      )
      await t.append('s')
      same(await t.seqs('s'), [1, 2, 3, 4])
    },
  },
  {
    id: 'I2.4',
    clause: 'I2',
    title:
      'a commit on a rebuilt head moves the lists from there, by a handle that had written the one before',
    async run(t) {
      await t.create('s')
      const agentIn = async () => (await t.store.readRawSession(t.tenant, 's'))?.head.agentId
      const head = { ...headFor('s', 1), agentId: 'other' }
      same(await t.store.rebuild(rebuildOf(t, 's', 1, { head })), true)
      await t.append('s')
      same(await agentIn(), headFor('s', 2).agentId)
      same(await t.store.listHeads(t.tenant, { index: 'agent', value: 'other', limit: 9 }), [])
    },
  },
  {
    id: 'I2.2',
    clause: 'I2',
    title: 'what is derived beyond the last event goes; the lease becomes the one that it is given',
    async run(t) {
      await t.createHeld('s', {
        parts: [{ part: 'p', body: '1' }],
        refs: [{ kind: 'call', id: 'future', seq: 40 }],
        usage: [{}, { seq: 40 }],
        waypoint: true,
      })
      const lease = { epoch: 5, owner: undefined, expiresAtMs: undefined }
      same(await t.store.rebuild(rebuildOf(t, 's', 2, { lease })), true)
      same(await t.lease('s'), { epoch: 5 })
      const held = { epoch: 6, owner: 'another', expiresAtMs: t.store.now() + 60_000 }
      same(await t.store.rebuild(rebuildOf(t, 's', 2, { lease: held })), true)
      same(await t.lease('s'), held)
      same(await t.store.renewLease(t.tenant, 's', 6, 90_000), true)
      same(await t.lease('s'), { ...held, expiresAtMs: held.expiresAtMs + 30_000 })
      same(await refsIn(t, 's', 1, 99), [])
      same(await t.store.readUsage(t.tenant, 's', 0, 9), [usageOf('s', 1)])
      same(await t.store.readWaypoint(t.tenant, 's', 9), { seq: 1, body: headFor('s', 1).body })
    },
  },
  {
    id: 'I2.3',
    clause: 'I2',
    title: 'events, keys, drafts, files, checkpoints and other sessions stay as they are',
    async run(t) {
      const key = { key: 'k', hash: 'h', expiresAtMs: 9_999_999_999_999 }
      await t.createHeld('s', { events: 3, attachments: [attachmentOf('file')], key })
      await t.appendDraft(t.draft('s', 1, ['x']))
      await t.fork('s', 2, 'fork')
      const channels = { state: hashOf('"1"') }
      const row = { threadId: 'thread', namespace: '', checkpointId: 'c', parentId: undefined, channels }
      await t.putCheckpoint({
        tenantId: t.tenant,
        sessionId: 's',
        ...row,
        bodies: [{ hash: hashOf('"1"'), body: '"1"' }],
      })
      await t.unchanged(async () => same(await t.store.rebuild(rebuildOf(t, 's', 4)), true))
    },
  },
  {
    id: 'I3.1',
    clause: 'I3',
    title: 'one for a log that ends elsewhere, for another tenant or for nothing is refused',
    async run(t) {
      await t.create('s', { events: 3, parts: [{ part: 'p', body: '1' }], usage: [{}] })
      const rows = {
        head: { ...headFor('s', 3), body: '"new"' },
        parts: [{ part: 'p', seq: 3, body: '2' }],
        usageSeqs: [1],
      }
      await t.unchanged(async () => {
        for (const lastSeq of [0, 2, 4]) {
          same(await t.store.rebuild(rebuildOf(t, 's', lastSeq, rows)), false)
        }
        same(await t.store.rebuild({ ...rebuildOf(t, 's', 3, rows), tenantId: t.stranger }), false)
        same(await t.store.rebuild(rebuildOf(t, 'never', 0, rows)), false)
      })
    },
  },
  {
    id: 'I4.1',
    clause: 'I4',
    title: 'nothing is found after writing, forking, erasing, deleting and indexing',
    async run(t) {
      const file = attachmentOf('file')
      await t.createHeld('s', {
        events: ['"fox"', bodyOfBytes(2 * limits.asideBytes), '""'],
        attachments: [file],
      })
      await t.appendDraft(t.draft('s', 1, ['x', 'y']))
      await t.fork('s', 3, 'fork', { events: ['"dog"'] })
      const channels = { state: hashOf('"1"'), file: file.hash }
      const row = { threadId: 'thread', namespace: '', checkpointId: 'c', parentId: undefined, channels }
      const bodies = [{ hash: hashOf('"1"'), body: '"1"' }]
      await t.putCheckpoint({ tenantId: t.tenant, sessionId: 's', ...row, bodies })
      await t.create('gone', { events: ['"cat"', bodyOfBytes(2 * limits.asideBytes)] })
      same(await findings(t), [])
      await t.index()
      same(await findings(t), [])
      await t.append('s', { erase: { seqs: [2], erasedBody: () => '{"erased":true}' } })
      await t.store.deleteSession(t.tenant, 'gone', { cascade: false })
      same(await findings(t), [])
      await t.index()
      await t.store.scrub()
      await t.store.resetIndex()
      same(await findings(t), [])
    },
  },
]
