/** O: opening, closing, and several handles on one place. */
import assert from 'node:assert/strict'
import type { Store } from '../../store.ts'
import { attachmentOf } from '../build.ts'
import type { StoreCase } from '../case.ts'
import { rejects, same, sameSet } from '../expect.ts'
import type { Trial } from '../trial.ts'

const range = { limit: 1, maxBytes: 1, direction: 'forward' } as const

/** Every call of the seam that returns a promise, but `close`. */
function callsOf(t: Trial): Record<string, (store: Store) => Promise<unknown>> {
  const { tenant } = t
  return {
    commit: (store) => store.commit([t.commit('s', 1)]),
    commitNothing: (store) => store.commit([]),
    readHead: (store) => store.readHead(tenant, 's'),
    readEvents: (store) => store.readEvents(tenant, 's', range),
    readSegments: (store) => store.readSegments(tenant, 's'),
    readParts: (store) => store.readParts(tenant, 's', ['p']),
    readWaypoint: (store) => store.readWaypoint(tenant, 's', 1),
    readRefs: (store) => store.readRefs(tenant, 's', 'kind', 'id'),
    readKey: (store) => store.readKey(tenant, 's', 'key'),
    listKeys: (store) => store.listKeys(tenant, 's', { limit: 1 }),
    readAttachment: (store) => store.readAttachment(tenant, 's', 'hash'),
    readAttachmentPiece: (store) => store.readAttachmentPiece(tenant, 's', 'hash', { offset: 0, length: 1 }),
    listHeads: (store) => store.listHeads(tenant, { index: 'all', limit: 1 }),
    listTenants: (store) => store.listTenants(),
    listDue: (store) => store.listDue(tenant, 'lease', 1, 1),
    listForks: (store) => store.listForks(tenant, 's'),
    renewLease: (store) => store.renewLease(tenant, 's', 1, 1),
    appendDraft: (store) => store.appendDraft(t.draft('s', 1, ['x'])),
    readDraft: (store) => store.readDraft(tenant, 's', 'draft', 0),
    listDrafts: (store) => store.listDrafts(tenant, 's'),
    putCheckpoint: (store) => {
      const row = { threadId: 't', namespace: '', checkpointId: 'c', parentId: undefined, channels: {} }
      return store.putCheckpoint({ tenantId: tenant, sessionId: 's', ...row, bodies: [] })
    },
    readCheckpoint: (store) => store.readCheckpoint(tenant, 't', ''),
    putRecord: (store) => store.putRecord(tenant, { kind: 'k', id: 'r', key: undefined, body: '1' }, 0),
    readRecord: (store) => store.readRecord(tenant, 'k', 'r'),
    listRecords: (store) => store.listRecords(tenant, 'k', { limit: 1 }),
    readUsage: (store) => store.readUsage(tenant, 's', 0, 1),
    sumUsage: (store) => store.sumUsage(tenant, {}),
    listUsage: (store) => store.listUsage(tenant, { filter: {}, limit: 1 }),
    rollUpUsage: (store) => store.rollUpUsage(tenant, { filter: {}, by: [], limit: 1 }),
    indexPending: (store) => store.indexPending(t.tenant, () => undefined, 1),
    search: (store) => store.search(tenant, { words: ['x'], limit: 1, offset: 0 }),
    resetIndex: (store) => store.resetIndex(),
    deleteSession: (store) => store.deleteSession(tenant, 's', { cascade: true }),
    sweepKeys: (store) => store.sweepKeys(1, 1),
    scrub: (store) => store.scrub(),
    readRawSession: (store) => store.readRawSession(tenant, 's'),
    listRefs: (store) => store.listRefs(tenant, 's', 1, 9),
    rebuild: (store) => {
      const nothing = { parts: [], waypoints: [], refs: [], strayRefs: [], usage: [], usageSeqs: [] }
      return store.rebuild({ tenantId: tenant, sessionId: 's', lastSeq: 1, ...nothing })
    },
    checkStore: async (store) => {
      for await (const _ of store.checkStore(() => undefined));
    },
    checkReplication: (store) => store.checkReplication(),
  }
}

/** A place with something in most of its corners. */
async function furnish(t: Trial): Promise<void> {
  await t.createHeld('s', {
    events: 3,
    parts: [{ part: 'p', body: '1' }],
    refs: [{ kind: 'message', id: 'm', seq: 2 }],
    usage: [{}],
    attachments: [attachmentOf('file')],
    key: { key: 'k', hash: 'h', expiresAtMs: 9_999_999_999_999 },
    waypoint: true,
  })
  await t.appendDraft(t.draft('s', 1, ['x', 'y']))
  await t.fork('s', 2, 'fork')
  await t.create('gone', { usage: [{}] })
  await t.store.deleteSession(t.tenant, 'gone', { cascade: false })
  t.names.noteRecord(t.tenant, 'kind')
  await t.store.putRecord(t.tenant, { kind: 'kind', id: 'r', key: 'key', body: '1' }, 0)
}

export const lifeCases: readonly StoreCase[] = [
  {
    id: 'O1.1',
    clause: 'O1',
    title: 'closing twice, or twice at once, is harmless',
    async run(t) {
      await t.create('s')
      await Promise.all([t.store.close(), t.store.close()])
      await t.store.close()
    },
  },
  {
    id: 'O1.2',
    clause: 'O1',
    title: 'every call after close rejects as `store_closed`',
    async run(t) {
      await t.create('s')
      await t.store.close()
      for (const [name, call] of Object.entries(callsOf(t)))
        await rejects(call(t.store), 'store_closed', name)
    },
  },
  {
    id: 'O1.3',
    clause: 'O1',
    title: 'closing one handle does not disturb another, and a close waits for nothing lost',
    needs: ['another'],
    async run(t) {
      const other = await t.another()
      const last = t.send(t.creation('s'), other)
      await t.store.close()
      await last
      t.store = other
      await t.append('s')
      same(await t.seqs('s'), [1, 2])
    },
  },
  {
    id: 'O1.4',
    clause: 'O1',
    title: 'a commit under way when the store is closed is written whole or refused as closed',
    needs: ['reopen'],
    async run(t) {
      await t.create('s')
      const pending = t.store.commit([t.commit('s', 1, { events: 3 })]).then(
        () => 'written',
        () => 'refused',
      )
      await t.restart()
      same(await t.seqs('s'), (await pending) === 'written' ? [1, 2, 3, 4] : [1])
    },
  },
  {
    id: 'O2.1',
    clause: 'O2',
    title: 'everything that was written is there after closing and opening again',
    needs: ['reopen'],
    async run(t) {
      await furnish(t)
      await t.unchanged(() => t.restart())
      await t.append('s', { epoch: 1 })
      await t.refuse(t.creation('gone'), { status: 'id_taken' })
    },
  },
  {
    id: 'O2.2',
    clause: 'O2',
    title: 'the search index and its watermark are there after opening again, or are rebuilt',
    needs: ['reopen'],
    async run(t) {
      await t.create('s', { events: ['"fox"', '"dog"'] })
      await t.index()
      await t.append('s', { events: ['"later fox"'] })
      await t.restart()
      await t.index()
      same(await t.find(['fox']), ['s:1', 's:3'])
    },
  },
  {
    id: 'O3.1',
    clause: 'O3',
    title: 'a place of an earlier schema is migrated once, also by two that open it at once',
    needs: ['schema', 'reopen', 'another'],
    async run(t) {
      const { schemaVersion } = t.store.info()
      await t.store.close()
      await t.place.schema?.makeOlder()
      const [first, second] = await Promise.all([t.reopen(), t.another()])
      same([first.info().schemaVersion, second.info().schemaVersion], [schemaVersion, schemaVersion])
      t.store = first
      const before = await t.store.listHeads(t.tenant, { index: 'all', limit: 10 })
      await t.create('new', { events: 2 })
      t.store = second
      same(await t.seqs('new'), [1, 2])
      same((await t.store.listHeads(t.tenant, { index: 'all', limit: 10 })).length, before.length + 1)
    },
  },
  {
    id: 'O3.2',
    clause: 'O3',
    title: 'a place of a later schema is refused as `store_unsupported`',
    needs: ['schema', 'reopen'],
    async run(t) {
      await t.create('s')
      await t.store.close()
      await t.place.schema?.makeNewer()
      await rejects(t.reopen(), 'store_unsupported')
    },
  },
  {
    id: 'O4.1',
    clause: 'O4',
    title: 'a write by another handle calls the listeners, until they are stopped',
    needs: ['another'],
    async run(t) {
      const other = await t.another()
      const calls = { first: 0, second: 0 }
      const stop = t.store.onForeignWrite(() => {
        calls.first += 1
      })
      t.store.onForeignWrite(() => {
        calls.second += 1
      })
      await t.send(t.creation('s'), other)
      await t.eventually(() => calls.first > 0 && calls.second > 0, 'both listeners to be called')
      same(await t.seqs('s'), [1])

      stop()
      stop()
      const { first, second } = calls
      await t.send(t.commit('s', 1), other)
      await t.eventually(() => calls.second > second, 'the second listener to be called again')
      assert.equal(calls.first, first, 'a stopped listener is not called')
    },
  },
  {
    id: 'O4.2',
    clause: 'O4',
    title: 'handles see each other’s sessions, leases and deletions at once',
    needs: ['another'],
    async run(t) {
      const other = await t.another()
      await t.createHeld('s')
      same(await other.renewLease(t.tenant, 's', 1, 5_000), true)
      same((await t.lease('s'))?.expiresAtMs, t.clock.now() + 5_000)
      await t.create('gone')
      same((await other.deleteSession(t.tenant, 'gone', { cascade: false })).status, 'deleted')
      same(await t.store.readHead(t.tenant, 'gone'), undefined)
      sameSet(await other.listTenants(), [t.tenant])
    },
  },
]
