/** Bugs in drafts, in what lies beside the log, in search, in forgetting and in the life of a store. */
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HeadRow, LedgerRow, SearchHit, Store, UsageTotals } from '../../store.ts'
import type { Mutant } from './mutant.ts'

export const otherMutants: readonly Mutant[] = [
  {
    clause: 'D1',
    title: 'reads every draft from its start',
    breaks: (store) => ({
      readDraft: (tenantId, sessionId, draftId) => store.readDraft(tenantId, sessionId, draftId, 0),
    }),
  },
  {
    clause: 'D2',
    title: 'accepts a gap between chunks',
    breaks: (store) => ({
      async appendDraft(write) {
        const outcome = await store.appendDraft(write)
        if (outcome.status !== 'gap') return outcome
        return store.appendDraft({ ...write, first: outcome.last + 1 })
      },
    }),
  },
  {
    clause: 'D3',
    title: 'ignores the epoch of a draft',
    breaks: (store) => ({
      async appendDraft(write) {
        const outcome = await store.appendDraft(write)
        return outcome.status === 'fenced' ? store.appendDraft({ ...write, epoch: outcome.epoch }) : outcome
      },
    }),
  },
  {
    clause: 'D4',
    title: 'keeps the drafts that a commit made durable',
    breaks: (store) => ({
      commit: (commits) => store.commit(commits.map((commit) => ({ ...commit, dropDrafts: [] }))),
    }),
  },
  {
    clause: 'D4',
    title: 'takes late chunks of a draft that a commit made durable',
    breaks: (store) => ({
      async appendDraft(write) {
        const outcome = await store.appendDraft(write)
        return outcome.status === 'closed' ? { status: 'written' } : outcome
      },
    }),
  },
  {
    clause: 'B1',
    title: 'takes the highest checkpoint id for the newest',
    breaks: (store, { memory }) => ({
      async putCheckpoint(write) {
        await store.putCheckpoint(write)
        const name = `${write.threadId} ${write.namespace}`
        const highest = memory.get(name) as string | undefined
        memory.set(name, highest && highest > write.checkpointId ? highest : write.checkpointId)
      },
      readCheckpoint: (tenantId, threadId, namespace, checkpointId) =>
        store.readCheckpoint(
          tenantId,
          threadId,
          namespace,
          checkpointId ?? (memory.get(`${threadId} ${namespace}`) as string | undefined) ?? '',
        ),
    }),
  },
  {
    clause: 'B1',
    title: 'accepts a channel whose body is nowhere',
    breaks: (store) => ({
      putCheckpoint: (write) =>
        store.putCheckpoint({
          ...write,
          bodies: Object.values(write.channels).map((hash) => ({
            hash,
            body: write.bodies.find((body) => body.hash === hash)?.body ?? '',
          })),
        }),
    }),
  },
  {
    clause: 'B2',
    title: 'overwrites a record whatever its version',
    breaks: (store) => ({
      async putRecord(tenantId, record) {
        const known = await store.readRecord(tenantId, record.kind, record.id)
        return store.putRecord(tenantId, record, known?.version ?? 0)
      },
    }),
  },
  {
    clause: 'B3',
    title: 'filters records after it has cut the page',
    breaks: (store) => ({
      async listRecords(tenantId, kind, { key, ...query }) {
        const rows = await store.listRecords(tenantId, kind, query)
        return rows.filter((row) => key === undefined || row.key === key)
      },
    }),
  },
  {
    clause: 'B3',
    title: 'sorts records as a person would',
    breaks: (store) => ({
      async listRecords(tenantId, kind, query) {
        const rows = await store.listRecords(tenantId, kind, query)
        return rows.toSorted((a, b) => a.id.localeCompare(b.id, 'en'))
      },
    }),
  },
  {
    clause: 'B4',
    title: 'takes an unknown cost for none',
    breaks: (store) => ({
      async sumUsage(tenantId, scope): Promise<UsageTotals> {
        return { ...(await store.sumUsage(tenantId, scope)), costUnknown: 0 }
      },
    }),
  },
  {
    clause: 'B4',
    title: 'sums a tree by its root session alone',
    breaks: (store) => ({
      sumUsage: (tenantId, { sessionId, rootSessionId }) => {
        const id = rootSessionId ?? sessionId
        return store.sumUsage(tenantId, id === undefined ? {} : { sessionId: id })
      },
    }),
  },
  {
    clause: 'B6',
    title: 'cuts a stretch after it was filtered',
    breaks: (store) => ({
      async listUsage(tenantId, { limit, ...walk }) {
        const { rows } = await store.listUsage(tenantId, { ...walk, limit: 1_000 })
        const page = rows.slice(0, limit)
        return { rows: page, ...(rows.length > limit && { next: page.at(-1) as LedgerRow }) }
      },
    }),
  },
  {
    clause: 'B6',
    title: 'leaves out what another stretch has begun a time with',
    breaks: (store) => ({
      listUsage: (tenantId, { after, ...walk }) =>
        store.listUsage(tenantId, { ...walk, ...(after && { after: { ...after, sessionId: '~' } }) }),
    }),
  },
  {
    clause: 'B6',
    title: 'walks over the rows of live sessions only',
    breaks: (store) => ({
      async listUsage(tenantId, walk) {
        const { rows, ...rest } = await store.listUsage(tenantId, walk)
        const heads = await Promise.all(rows.map(({ sessionId }) => store.readHead(tenantId, sessionId)))
        return { rows: rows.filter((_, index) => heads[index]), ...rest }
      },
    }),
  },
  {
    clause: 'B6',
    title: 'takes a filter for absent values as none',
    breaks: (store) => ({
      listUsage: (tenantId, { filter, ...walk }) => {
        const given = Object.entries(filter).filter(([, value]) => value !== null)
        return store.listUsage(tenantId, { ...walk, filter: Object.fromEntries(given) })
      },
    }),
  },
  {
    clause: 'B7',
    title: 'groups rows without a value with those of an empty one',
    breaks: (store) => ({
      async rollUpUsage(tenantId, walk) {
        const { groups, ...rest } = await store.rollUpUsage(tenantId, walk)
        return {
          groups: groups.map((group) => ({ ...group, key: group.key.map((value) => value ?? '') })),
          ...rest,
        }
      },
    }),
  },
  {
    clause: 'B7',
    title: 'adds up past the filter when it groups',
    breaks: (store) => ({
      rollUpUsage: (tenantId, { filter: { ownerUserId: _, ...filter }, ...walk }) =>
        store.rollUpUsage(tenantId, { ...walk, filter }),
    }),
  },
  {
    clause: 'B7',
    title: 'takes an unknown cost for none when it groups',
    breaks: (store) => ({
      async rollUpUsage(tenantId, walk) {
        const { groups, ...rest } = await store.rollUpUsage(tenantId, walk)
        return { groups: groups.map((group) => ({ ...group, costUnknown: 0 })), ...rest }
      },
    }),
  },
  {
    clause: 'B7',
    title: 'rounds a sum that a number does not hold',
    breaks: (store) => ({
      sumUsage: (...call) =>
        store.sumUsage(...call).catch(async () => {
          const { rows } = await store.listUsage(call[0], { filter: {}, limit: 2_000 })
          const promptTokens = rows.reduce((sum, row) => sum + row.promptTokens, 0)
          return { ...(await store.sumUsage(call[0], { sessionId: '' })), promptTokens }
        }),
    }),
  },
  {
    clause: 'B5',
    title: 'shares attachments between sessions',
    breaks: (store, { memory }) => ({
      async commit(commits) {
        for (const { attachments } of commits)
          for (const { hash, bytes } of attachments) memory.set(hash, bytes)
        return store.commit(commits)
      },
      readAttachment: async (_, __, hash) => memory.get(hash) as Uint8Array | undefined,
    }),
  },
  {
    clause: 'B8',
    title: 'counts the bytes of a piece from one',
    breaks: (store) => ({
      readAttachmentPiece: (tenantId, sessionId, hash, { offset, length }) =>
        store.readAttachmentPiece(tenantId, sessionId, hash, { offset: Math.max(0, offset - 1), length }),
    }),
  },
  {
    clause: 'B8',
    title: 'gives the size of the piece for that of the whole',
    breaks: (store) => ({
      async readAttachmentPiece(...call) {
        const found = await store.readAttachmentPiece(...call)
        return found && { ...found, size: found.bytes.byteLength }
      },
    }),
  },
  {
    clause: 'B8',
    title: 'finds a piece of what its fork may not see',
    breaks: (store, { memory }) => ({
      async commit(commits) {
        for (const { attachments } of commits)
          for (const { hash, bytes } of attachments) memory.set(hash, bytes)
        return store.commit(commits)
      },
      async readAttachmentPiece(_, __, hash, { offset, length }) {
        const bytes = memory.get(hash) as Uint8Array | undefined
        return bytes && { bytes: bytes.subarray(offset, offset + length), size: bytes.byteLength }
      },
    }),
  },
  {
    clause: 'S1',
    title: 'finds events that have any of the words',
    breaks: (store) => ({
      async search(tenantId, query) {
        const words = query.words.length > 0 ? query.words.slice(0, 1) : []
        return store.search(tenantId, { ...query, words })
      },
    }),
  },
  {
    clause: 'S1',
    title: 'gives the worst hit first',
    breaks: (store) => ({
      search: async (...call) => (await store.search(...call)).toReversed(),
    }),
  },
  {
    clause: 'S2',
    title: 'indexes everything at once, whatever the bound',
    breaks: (store) => ({
      indexPending: (tenantId, textOf) => store.indexPending(tenantId, textOf, Number.MAX_SAFE_INTEGER),
    }),
  },
  {
    clause: 'S2',
    title: 'does not say that more waits',
    breaks: (store) => ({
      async indexPending(tenantId, textOf, maxBytes) {
        await store.indexPending(tenantId, textOf, maxBytes)
        return false
      },
    }),
  },
  {
    clause: 'S3',
    title: 'does not rebuild its index after a reset',
    breaks: (store, { memory }) => ({
      async resetIndex() {
        memory.set('reset', true)
      },
      search: async (...call) => (memory.has('reset') ? [] : store.search(...call)),
    }),
  },
  {
    clause: 'S4',
    title: 'still finds what was deleted or erased',
    breaks: (store, { memory }) => ({
      async search(tenantId, query) {
        const name = JSON.stringify([tenantId, query.words])
        const earlier = (memory.get(name) as readonly SearchHit[] | undefined) ?? []
        const hits = await store.search(tenantId, query)
        const isNew = (hit: SearchHit) =>
          !earlier.some(({ sessionId, seq }) => sessionId === hit.sessionId && seq === hit.seq)
        const all = [...earlier, ...hits.filter(isNew)]
        memory.set(name, all)
        return all
      },
    }),
  },
  {
    clause: 'E1',
    title: 'forgets the usage of a deleted session',
    breaks: (store, { memory }) => ({
      async deleteSession(tenantId, sessionId, options) {
        memory.set(sessionId, true)
        return store.deleteSession(tenantId, sessionId, options)
      },
      readUsage: async (...call) => (memory.has(call[1]) ? [] : store.readUsage(...call)),
    }),
  },
  {
    clause: 'E1',
    title: 'keeps the user on the usage of a deleted session',
    breaks: (store) => ({
      async readUsage(...call) {
        return (await store.readUsage(...call)).map((row) => ({ ...row, ownerUserId: 'owner' }))
      },
    }),
  },
  {
    clause: 'E2',
    title: 'keeps a part of an erased event',
    breaks: (store, { memory }) => ({
      async commit(commits) {
        for (const { parts } of commits) for (const { part, body } of parts) memory.set(part, body)
        return store.commit(commits)
      },
      async readParts(tenantId, sessionId, parts, atSeq) {
        const found = new Map(await store.readParts(tenantId, sessionId, parts, atSeq))
        for (const part of parts) if (memory.get(part)) found.set(part, `${memory.get(part)}`)
        return found
      },
    }),
  },
  {
    clause: 'E2',
    title: 'removes an erased event instead of its body',
    breaks: (store) => ({
      async readEvents(...call) {
        return (await store.readEvents(...call)).filter(({ body }) => !body.includes('"erased"'))
      },
    }),
  },
  {
    clause: 'E2',
    title: 'keeps the attachments of an erasure',
    breaks: (store) => ({
      commit: (commits) =>
        store.commit(
          commits.map(({ erase, ...commit }) =>
            erase ? { ...commit, erase: { ...erase, attachments: [] } } : commit,
          ),
        ),
    }),
  },
  {
    clause: 'E2',
    title: 'keeps the drafts of a session at an erasure',
    breaks: (store, { memory }) => ({
      async appendDraft(write) {
        memory.set(write.sessionId, {
          draftId: write.draftId,
          runId: write.runId,
          epoch: write.epoch,
          last: 1,
        })
        return store.appendDraft(write)
      },
      async listDrafts(tenantId, sessionId) {
        const kept = memory.get(sessionId) as Awaited<ReturnType<Store['listDrafts']>>[number] | undefined
        return kept ? [kept] : store.listDrafts(tenantId, sessionId)
      },
    }),
  },
  {
    clause: 'E3',
    title: 'keeps erased bytes in a file',
    breaks: (store, { memory }) => ({
      async commit(commits) {
        await appendFile(`${memory.get('path')}`, JSON.stringify(commits))
        return store.commit(commits)
      },
    }),
    place: (place, { memory }) => {
      const directory = mkdtemp(join(tmpdir(), 'holdfast-mutant-'))
      const journal = directory.then((at) => join(at, 'journal'))
      return {
        store: withJournal(place.store, journal, memory),
        files: async () => [await journal],
        dispose: async () => rm(await directory, { recursive: true }),
      }
    },
  },
  {
    clause: 'E4',
    title: 'deletes what has moved',
    breaks: (store) => ({
      deleteSession: (tenantId, sessionId, { cascade }) => {
        return store.deleteSession(tenantId, sessionId, { cascade })
      },
    }),
  },
  {
    clause: 'E4',
    title: 'judges the seq of a deletion before it begins',
    breaks: (store) => ({
      async deleteSession(tenantId, sessionId, { cascade, seq }) {
        const head = await store.readHead(tenantId, sessionId)
        if (head && seq !== undefined && head.seq !== seq) return { status: 'moved', seq: head.seq }
        await new Promise((resolve) => setTimeout(resolve, 5))
        return store.deleteSession(tenantId, sessionId, { cascade })
      },
    }),
  },
  {
    clause: 'I1',
    title: 'takes the head’s word for where the events end',
    breaks: (store) => ({
      async readRawSession(tenantId, sessionId) {
        const raw = await store.readRawSession(tenantId, sessionId)
        return raw && { ...raw, lastSeq: raw.seq - 1 }
      },
    }),
  },
  {
    clause: 'I1',
    title: 'gives refs of the first event only',
    breaks: (store) => ({
      listRefs: (tenantId, sessionId, from) => store.listRefs(tenantId, sessionId, from, from),
    }),
  },
  {
    clause: 'I2',
    title: 'rebuilds the head and forgets the rest',
    breaks: (store) => ({
      rebuild: (rebuilt) =>
        store.rebuild({
          ...rebuilt,
          parts: [],
          waypoints: [],
          refs: [],
          strayRefs: [],
          usageSeqs: [],
          usage: [],
        }),
    }),
  },
  {
    clause: 'I2',
    title: 'adds usage rows beside those that it should replace',
    breaks: (store) => ({ rebuild: (rebuilt) => store.rebuild({ ...rebuilt, usageSeqs: [] }) }),
  },
  {
    clause: 'I2',
    title: 'drops the drafts of a session that it rebuilds',
    breaks: (store, { memory }) => ({
      rebuild(rebuilt) {
        memory.set(rebuilt.sessionId, true)
        return store.rebuild(rebuilt)
      },
      listDrafts: async (...call) => (memory.has(call[1]) ? [] : store.listDrafts(...call)),
    }),
  },
  {
    clause: 'I2',
    title: 'keeps the columns of a rebuilt head through later commits',
    breaks: (store, { memory }) => ({
      rebuild(rebuilt) {
        memory.set(rebuilt.sessionId, rebuilt.head)
        return store.rebuild(rebuilt)
      },
      commit: (commits) =>
        store.commit(
          commits.map(({ head, ...commit }) => {
            const kept = memory.get(commit.sessionId) as HeadRow | undefined
            return { ...commit, head: { ...head, ...kept, body: head.body } }
          }),
        ),
    }),
  },
  {
    clause: 'I3',
    title: 'rebuilds from whatever it is given',
    breaks: (store) => ({
      async rebuild(rebuilt) {
        const raw = await store.readRawSession(rebuilt.tenantId, rebuilt.sessionId)
        return raw ? store.rebuild({ ...rebuilt, lastSeq: raw.lastSeq }) : false
      },
    }),
  },
  {
    clause: 'I4',
    title: 'takes every unindexed event for a stale index',
    breaks: (store) => ({
      async *checkStore(textOf) {
        yield* store.checkStore(textOf)
        for (const tenantId of await store.listTenants()) {
          if (await store.indexPending(tenantId, textOf, 0)) yield { code: 'index_stale', message: 'behind' }
        }
      },
    }),
  },
  {
    clause: 'O1',
    title: 'stays open after close',
    breaks: () => ({ close: async () => {} }),
  },
  {
    clause: 'O2',
    title: 'is empty after a restart',
    place: (_, { elsewhere }) => ({ reopen: elsewhere }),
  },
  {
    clause: 'O3',
    title: 'opens a place of a later schema',
    place: () => ({ schema: { makeOlder: async () => {}, makeNewer: async () => {} } }),
  },
  {
    clause: 'O4',
    title: 'never tells of foreign writes',
    breaks: () => ({ onForeignWrite: () => () => {} }),
  },
  {
    clause: 'O4',
    title: 'goes on calling a listener that was stopped',
    breaks: (store) => ({
      onForeignWrite(listener) {
        store.onForeignWrite(listener)
        return () => {}
      },
    }),
  },
]

/** Waits for the journal's path to be known before the first commit. */
function withJournal(store: Store, journal: Promise<string>, memory: Map<string, unknown>): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return async (...call: unknown[]) => {
        if (!memory.has('path')) {
          memory.set('path', await journal)
          await writeFile(await journal, '')
        }
        return member.apply(target, call)
      }
    },
  })
}
