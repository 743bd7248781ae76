/** R: what a read gives back. */
import assert from 'node:assert/strict'
import { isHoldfastError, type TenantId } from '@holdfast/protocol'
import type { EventRange, Store } from '../../store.ts'
import { attachmentOf, hashOf, headFor } from '../build.ts'
import type { StoreCase } from '../case.ts'
import { committed, rejects, same, settled } from '../expect.ts'
import { hostileIds } from '../hostile.ts'
import { allPages } from '../paging.ts'
import type { Trial } from '../trial.ts'
import { vandalise } from '../vandal.ts'

const fileHash = hashOf('bytes of a file')
const forward = { limit: 1_000, maxBytes: Number.MAX_SAFE_INTEGER, direction: 'forward' } as const

/** A session with one of everything, a fork of it, a record and a checkpoint. */
async function furnish(t: Trial): Promise<void> {
  await t.create('s', {
    events: 3,
    head: { ownerUserId: 'owner', questionAskedAtMs: 5, questionExpiresAtMs: 6, expiresAtMs: 7 },
    parts: [{ part: 'tasks', body: '[]' }],
    refs: [{ kind: 'message', id: 'm1', seq: 2 }],
    usage: [{}],
    attachments: [attachmentOf('bytes of a file')],
    key: { key: 'key', hash: 'hash', expiresAtMs: 9_999_999_999_999 },
    lease: { type: 'take', fromEpoch: 0, owner: 'worker', ttlMs: 60_000 },
    waypoint: true,
  })
  await t.fork('s', 2, 'fork')
  same(await t.appendDraft(t.draft('s', 1, ['some', 'text'])), { status: 'written' })
  t.names.noteRecord(t.tenant, 'persona')
  await t.store.putRecord(t.tenant, { kind: 'persona', id: 'p', key: 'k', body: '{}' }, 0)
  await t.putCheckpoint({
    tenantId: t.tenant,
    sessionId: 's',
    threadId: 'thread',
    namespace: '',
    checkpointId: 'cp',
    parentId: undefined,
    channels: { state: hashOf('"state"') },
    bodies: [{ hash: hashOf('"state"'), body: '"state"' }],
  })
  await t.index()
}

type Call = (store: Store, sessionId: string) => Promise<unknown>

/** Every read that names a session, as `tenant` would make it about an id that it heard of. */
function readsOf(tenant: TenantId): Record<string, Call> {
  return {
    readHead: (store, id) => store.readHead(tenant, id),
    readEvents: (store, id) => store.readEvents(tenant, id, forward),
    readEventsBackward: (store, id) => store.readEvents(tenant, id, { ...forward, direction: 'backward' }),
    readSegments: (store, id) => store.readSegments(tenant, id),
    readParts: (store, id) => store.readParts(tenant, id, ['tasks']),
    readPartsAt: (store, id) => store.readParts(tenant, id, ['tasks'], 3),
    readWaypoint: (store, id) => store.readWaypoint(tenant, id, 3),
    readRefs: (store, id) => store.readRefs(tenant, id, 'message', 'm1'),
    readKey: (store, id) => store.readKey(tenant, id, 'key'),
    listKeys: (store, id) => store.listKeys(tenant, id, { limit: 9 }),
    readAttachment: (store, id) => store.readAttachment(tenant, id, fileHash),
    readAttachmentPiece: (store, id) =>
      store.readAttachmentPiece(tenant, id, fileHash, { offset: 0, length: 9 }),
    listForks: (store, id) => store.listForks(tenant, id),
    readDraft: (store, id) => store.readDraft(tenant, id, 'draft', 0),
    listDrafts: (store, id) => store.listDrafts(tenant, id),
    readUsage: (store, id) => store.readUsage(tenant, id, 0, 10),
    readRawSession: (store, id) => store.readRawSession(tenant, id),
    listRefs: (store, id) => store.listRefs(tenant, id, 1, 9),
    sumUsageOfSession: (store, id) => store.sumUsage(tenant, { sessionId: id }),
    sumUsageOfTree: (store, id) => store.sumUsage(tenant, { rootSessionId: id }),
    listUsageOfSession: (store, id) => store.listUsage(tenant, { filter: { sessionId: id }, limit: 10 }),
    rollUpUsageOfTree: (store, id) =>
      store.rollUpUsage(tenant, { filter: { rootSessionId: id }, by: ['sessionId'], limit: 10 }),
    search: (store, id) => store.search(tenant, { words: ['says'], sessionId: id, limit: 9, offset: 0 }),
  }
}

/** Every write that names a session, in the same way. */
function writesOf(t: Trial, tenantId: TenantId): Record<string, Call> {
  const by = { tenantId }
  return {
    append: (store, id) => store.commit([t.commit(id, 3, by)]),
    appendWithEpoch: (store, id) => store.commit([t.commit(id, 3, { ...by, epoch: 1 })]),
    appendWithKey: (store, id) => {
      const key = { key: 'key', hash: 'hash', expiresAtMs: 9_999_999_999_999 }
      return store.commit([t.commit(id, 3, { ...by, key })])
    },
    fork: (store, id) => {
      const segments = [{ sessionId: id, from: 1, to: 2 }]
      return store.commit([t.creation('stolen', { ...by, segments })])
    },
    renewLease: (store, id) => store.renewLease(tenantId, id, 1, 1_000),
    appendDraft: (store, id) => store.appendDraft(t.draft(id, 3, ['x'], by)),
    putCheckpoint: (store, id) => {
      const row = {
        threadId: 'thread',
        namespace: '',
        checkpointId: 'new',
        parentId: undefined,
        channels: {},
      }
      return store.putCheckpoint({ ...by, sessionId: id, ...row, bodies: [] })
    },
    rebuild: (store, id) => {
      const rows = { parts: [], waypoints: [], refs: [], strayRefs: [], usage: [], usageSeqs: [1, 2, 3] }
      const lease = { epoch: 9, owner: undefined, expiresAtMs: undefined }
      return store.rebuild({ ...by, sessionId: id, lastSeq: 3, lease, ...rows })
    },
    deleteSession: (store, id) => store.deleteSession(tenantId, id, { cascade: true }),
  }
}

export const readCases: readonly StoreCase[] = [
  {
    id: 'R1.1',
    clause: 'R1',
    title: 'every range gives exactly the seqs after `after` through `through`, in both directions',
    async run(t) {
      await t.create('s', { events: 4 })
      await t.append('s', { events: 3 })
      const ends = [undefined, 0, 1, 3, 4, 5, 6, 7, 8, 100]
      for (const after of ends) {
        for (const through of ends) {
          const range: Partial<EventRange> = {}
          if (after !== undefined) range.after = after
          if (through !== undefined) range.through = through
          const rising = [1, 2, 3, 4, 5, 6, 7].filter(
            (seq) => seq > (after ?? 0) && seq <= (through ?? Number.POSITIVE_INFINITY),
          )
          const said = JSON.stringify(range)
          same(await t.seqs('s', range), rising, said)
          same(await t.seqs('s', { ...range, direction: 'backward' }), rising.toReversed(), said)
        }
      }
    },
  },
  {
    id: 'R1.2',
    clause: 'R1',
    title: 'pages joined end to end are the log, whatever their size, in both directions',
    async run(t) {
      await t.create('s', { events: 10 })
      const seqs = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
      for (const limit of [1, 2, 3, 5, 9, 10, 11]) {
        same(await paged(t, 's', limit, 'forward'), seqs)
        same(await paged(t, 's', limit, 'backward'), seqs.toReversed())
      }
    },
  },
  {
    id: 'R2.1',
    clause: 'R2',
    title: 'a page ends by its limit',
    async run(t) {
      await t.create('s', { events: 5 })
      for (const limit of [1, 4, 5, 6]) {
        same((await t.seqs('s', { limit })).length, Math.min(limit, 5))
        same((await t.seqs('s', { limit, direction: 'backward' })).length, Math.min(limit, 5))
      }
    },
  },
  {
    id: 'R2.2',
    clause: 'R2',
    title: 'a page ends before passing its bytes, counted in UTF-8, and has at least one event',
    async run(t) {
      await t.create('s', { events: ['"1234"', '"中中"', '"1234567890"', '"x"', '"y"'] })
      // Sizes in bytes: 6, 8, 12, 3, 3.
      const pages: [number, number[]][] = [
        [0, [1]],
        [5, [1]],
        [6, [1]],
        [13, [1]],
        [14, [1, 2]],
        [25, [1, 2]],
        [26, [1, 2, 3]],
        [29, [1, 2, 3, 4]],
        [31, [1, 2, 3, 4]],
        [32, [1, 2, 3, 4, 5]],
      ]
      for (const [maxBytes, seqs] of pages) same(await t.seqs('s', { maxBytes }), seqs, `${maxBytes} bytes`)
      const backward = (maxBytes: number) => t.seqs('s', { maxBytes, direction: 'backward' })
      same(await backward(1), [5])
      same(await backward(17), [5, 4])
      same(await backward(18), [5, 4, 3])
      same(await t.seqs('s', { after: 2, maxBytes: 1 }), [3])
    },
  },
  {
    id: 'R3.1',
    clause: 'R3',
    title: 'changing what a read returned changes nothing stored',
    async run(t) {
      await furnish(t)
      await t.unchanged(async () => {
        for (const read of Object.values(readsOf(t.tenant))) {
          vandalise(await read(t.store, 's'))
          vandalise(await read(t.store, 'fork'))
        }
        vandalise(await t.store.listHeads(t.tenant, { index: 'all', limit: 10 }))
        vandalise(await t.store.listDue(t.tenant, 'lease', Number.MAX_SAFE_INTEGER, 10))
        vandalise(await t.store.listTenants())
        vandalise(await t.store.readRecord(t.tenant, 'persona', 'p'))
        vandalise(await t.store.listRecords(t.tenant, 'persona', { limit: 10 }))
        vandalise(await t.store.readCheckpoint(t.tenant, 'thread', ''))
        vandalise(t.store.info())
      })
    },
  },
  {
    id: 'R3.2',
    clause: 'R3',
    title: 'changing what was handed in, or what a commit answered, changes nothing stored',
    async run(t) {
      await furnish(t)
      const bytes = Buffer.from('other bytes')
      const hash = hashOf(bytes)
      const segments = [{ sessionId: 's', from: 1, to: 3 }]
      const commit = t.creation('f2', {
        segments,
        attachments: [{ hash, bytes }],
        usage: [{ seq: 4 }],
        events: 2,
      })
      const draft = t.draft('s', 3, ['more'])
      const record = { kind: 'persona', id: 'q', key: 'k', body: '{"v":1}' }
      const outcome = committed(await t.send(commit))
      await t.store.appendDraft(draft)
      await t.store.putRecord(t.tenant, record, 0)
      await t.unchanged(async () => {
        vandalise(outcome)
        vandalise(commit)
        vandalise(segments)
        vandalise(draft)
        vandalise(record)
      })
    },
  },
  {
    id: 'R4.1',
    clause: 'R4',
    title: 'another tenant’s session answers every call exactly as one that never was, and stays as it is',
    async run(t) {
      await furnish(t)
      const calls = { ...readsOf(t.stranger), ...writesOf(t, t.stranger) }
      for (const id of ['s', 'never', 'stolen']) t.names.noteSession(t.stranger, id)
      for (const [name, call] of Object.entries(calls)) {
        await t.unchanged(async () => {
          const foreign = await settled(call(t.store, 's'))
          same(foreign, await settled(call(t.store, 'never')), name)
        })
      }
    },
  },
  {
    id: 'R4.2',
    clause: 'R4',
    title: 'lists, records, checkpoints, sums and searches of another tenant are empty',
    async run(t) {
      await furnish(t)
      for (const index of ['owner', 'agent', 'conversation', 'thread', 'root'] as const) {
        for (const value of ['owner', 'agent', 'conversation', 'thread', 's']) {
          same(await t.store.listHeads(t.stranger, { index, value, limit: 10 }), [])
        }
      }
      same(await t.store.listHeads(t.stranger, { index: 'all', limit: 10 }), [])
      same(await t.store.listHeads(t.stranger, { index: 'question', limit: 10 }), [])
      for (const kind of ['expiry', 'question', 'lease'] as const) {
        same(await t.store.listDue(t.stranger, kind, Number.MAX_SAFE_INTEGER, 10), [])
      }
      same(await t.store.readRecord(t.stranger, 'persona', 'p'), undefined)
      same(await t.store.listRecords(t.stranger, 'persona', { limit: 10 }), [])
      same(await t.store.readCheckpoint(t.stranger, 'thread', ''), undefined)
      same(await t.store.readCheckpoint(t.stranger, 'thread', '', 'cp'), undefined)
      same((await t.store.sumUsage(t.stranger, {})).rows, 0)
      same((await t.store.listUsage(t.stranger, { filter: {}, limit: 10 })).rows, [])
      same((await t.store.rollUpUsage(t.stranger, { filter: {}, by: [], limit: 10 })).groups, [])
      same(await t.find(['says'], t.stranger), [])
    },
  },
  {
    id: 'R4.3',
    clause: 'R4',
    title: 'two tenants use the same ids without knowing of each other',
    async run(t) {
      const other = { tenantId: t.stranger }
      await t.create('s', { events: ['"mine"'], parts: [{ part: 'p', body: '"mine"' }] })
      await t.create('s', {
        ...other,
        events: ['"yours"', '"yours"'],
        parts: [{ part: 'p', body: '"yours"' }],
      })
      same(await t.bodies('s'), ['"mine"'])
      same(await t.store.readParts(t.stranger, 's', ['p']), new Map([['p', '"yours"']]))
      await t.store.deleteSession(t.stranger, 's', { cascade: true })
      same(await t.bodies('s'), ['"mine"'])
      same(await t.store.readParts(t.tenant, 's', ['p']), new Map([['p', '"mine"']]))
      await t.store.putRecord(t.tenant, { kind: 'k', id: 'r', key: undefined, body: '1' }, 0)
      const insert = await t.store.putRecord(t.stranger, { kind: 'k', id: 'r', key: undefined, body: '2' }, 0)
      same(insert, { status: 'written', version: 1 })
      same((await t.store.readRecord(t.tenant, 'k', 'r'))?.body, '1')
    },
  },
  {
    id: 'R5.1',
    clause: 'R5',
    title: 'a part is the newest row at or before the asked seq',
    async run(t) {
      await t.create('s', { events: 2, parts: [{ part: 'a', body: '"a2"' }] })
      await t.append('s', { parts: [{ part: 'b', body: '"b3"' }] })
      await t.append('s', { events: 2, parts: [{ part: 'a', body: '"a5"' }] })
      const read = (atSeq?: number) => t.store.readParts(t.tenant, 's', ['a', 'b', 'none'], atSeq)
      same(await read(0), new Map())
      same(await read(2), new Map([['a', '"a2"']]))
      const middle = new Map([
        ['a', '"a2"'],
        ['b', '"b3"'],
      ])
      same(await read(3), middle)
      same(await read(4), middle)
      const newest = new Map(middle).set('a', '"a5"')
      same(await read(5), newest)
      same(await read(99), newest)
      same(await read(), newest)
      same(await t.store.readParts(t.tenant, 's', ['b']), new Map([['b', '"b3"']]))
      same(await t.store.readParts(t.tenant, 's', []), new Map())
    },
  },
  {
    id: 'R5.2',
    clause: 'R5',
    title: 'a removed part is absent from there on and present before, and may come back',
    async run(t) {
      await t.create('s', { parts: [{ part: 'a', body: '1' }] })
      await t.append('s', { parts: [{ part: 'a', body: undefined }] })
      await t.append('s', { parts: [{ part: 'a', body: '3' }] })
      const read = async (atSeq?: number) => (await t.store.readParts(t.tenant, 's', ['a'], atSeq)).get('a')
      same([await read(1), await read(2), await read(3), await read()], ['1', undefined, '3', '3'])
    },
  },
  {
    id: 'R5.3',
    clause: 'R5',
    title: 'parts whose names look alike to SQL are different parts',
    async run(t) {
      await t.create('s', { parts: hostileIds.map((part) => ({ part, body: JSON.stringify(part) })) })
      const read = await t.store.readParts(t.tenant, 's', hostileIds)
      same(
        hostileIds.map((part) => read.get(part)),
        hostileIds.map((part) => JSON.stringify(part)),
      )
      same(await t.store.readParts(t.tenant, 's', ['%']), new Map([['%', '"%"']]))
    },
  },
  {
    id: 'R6.1',
    clause: 'R6',
    title: 'a waypoint is the newest head that was kept at or before the asked seq',
    async run(t) {
      await t.create('s', { events: 2, waypoint: true, head: { body: '"at 2"' } })
      await t.append('s', { head: { body: '"at 3"' } })
      await t.append('s', { events: 2, waypoint: true, head: { body: '"at 5"' } })
      await t.append('s')
      const read = (atSeq: number) => t.store.readWaypoint(t.tenant, 's', atSeq)
      same(await read(0), undefined)
      same(await read(1), undefined)
      for (const atSeq of [2, 3, 4]) same(await read(atSeq), { seq: 2, body: '"at 2"' })
      for (const atSeq of [5, 6, 99]) same(await read(atSeq), { seq: 5, body: '"at 5"' })
    },
  },
  {
    id: 'R7.1',
    clause: 'R7',
    title: 'refs are found by kind and id, rising by seq',
    async run(t) {
      const ref = (kind: string, id: string, seq: number) => ({ kind, id, seq })
      await t.create('s', {
        events: 3,
        refs: [ref('call', 'c1', 3), ref('call', 'c1', 1), ref('message', 'c1', 2)],
      })
      await t.append('s', { events: 2, refs: [ref('call', 'c1', 5), ref('call', 'c2', 4)] })
      await t.create('other', { refs: [ref('call', 'c1', 1)] })
      same(await t.store.readRefs(t.tenant, 's', 'call', 'c1'), [1, 3, 5])
      same(await t.store.readRefs(t.tenant, 's', 'call', 'c2'), [4])
      same(await t.store.readRefs(t.tenant, 's', 'message', 'c1'), [2])
      same(await t.store.readRefs(t.tenant, 's', 'message', 'c2'), [])
      same(await t.store.readRefs(t.tenant, 's', 'cal', 'lc1'), [])
    },
  },
  {
    id: 'R7.2',
    clause: 'R7',
    title: 'refs to ids that look alike to SQL are different refs',
    async run(t) {
      await t.create('s', {
        events: hostileIds.length,
        refs: hostileIds.map((id, index) => ({ kind: 'call', id, seq: index + 1 })),
      })
      for (const [index, id] of hostileIds.entries()) {
        same(await t.store.readRefs(t.tenant, 's', 'call', id), [index + 1], id)
      }
    },
  },
  {
    id: 'R8.1',
    clause: 'R8',
    title: 'a changed body is reported as corrupt, and the other events can still be read',
    needs: ['corrupt'],
    async run(t) {
      await t.create('s', { events: 5 })
      await t.create('other', { events: 2 })
      await t.place.corrupt?.(t.tenant, 's', 3)
      const read = (range: Partial<EventRange>) =>
        t.store.readEvents(t.tenant, 's', { ...forward, ...range }).then((events) => events.length)
      await rejects(read({}), 'store_corrupt')
      await rejects(read({ after: 2, limit: 1 }), 'store_corrupt')
      await rejects(read({ direction: 'backward' }), 'store_corrupt')
      same(await read({ through: 2 }), 2)
      same(await read({ after: 3 }), 2)
      same(await read({ after: 3, direction: 'backward' }), 2)
      same(await t.seqs('other'), [1, 2])
    },
  },
  {
    id: 'R8.2',
    clause: 'R8',
    title: 'a changed waypoint is reported as corrupt with its seq, and those before it can still be read',
    needs: ['corruptWaypoint'],
    async run(t) {
      await t.create('s', { waypoint: true })
      await t.append('s', { waypoint: true })
      await t.append('s')
      await t.place.corruptWaypoint?.(t.tenant, 's', 2)
      for (const atSeq of [2, 3, Number.MAX_SAFE_INTEGER]) {
        const error = await t.store.readWaypoint(t.tenant, 's', atSeq).catch((reason: unknown) => reason)
        same(isHoldfastError(error, 'store_corrupt') && error.details.seq, 2)
      }
      same(await t.store.readWaypoint(t.tenant, 's', 1), { seq: 1, body: headFor('s', 1).body })
    },
  },
]

async function paged(
  t: Trial,
  sessionId: string,
  limit: number,
  direction: EventRange['direction'],
): Promise<number[]> {
  return allPages(async (last: number | undefined) => {
    const forwardFrom = { after: last ?? 0 }
    const backwardFrom = last === undefined ? {} : { through: last - 1 }
    const from = direction === 'forward' ? forwardFrom : backwardFrom
    const page = await t.seqs(sessionId, { ...from, limit, direction })
    assert.ok(page.length <= limit)
    return page
  })
}
