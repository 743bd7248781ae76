/** Bugs in reads, lists and forks. */
import { HoldfastError } from '@holdfast/protocol'
import type { ListRow, Store, StoredEvent } from '../../store.ts'
import type { Mutant } from './mutant.ts'

function readEventsAs(
  store: Store,
  change: (
    events: readonly StoredEvent[],
    ...call: Parameters<Store['readEvents']>
  ) => readonly StoredEvent[] | Promise<readonly StoredEvent[]>,
): Partial<Store> {
  return {
    async readEvents(...call) {
      return change(await store.readEvents(...call), ...call)
    },
  }
}

function listAs(store: Store, change: (rows: readonly ListRow[]) => readonly ListRow[]): Partial<Store> {
  return {
    async listHeads(tenantId, query) {
      return change(await store.listHeads(tenantId, query))
    },
  }
}

export const readMutants: readonly Mutant[] = [
  {
    clause: 'R1',
    title: 'gives a backward page in rising order',
    breaks: (store) => readEventsAs(store, (events) => events.toSorted((a, b) => a.seq - b.seq)),
  },
  {
    clause: 'R1',
    title: 'includes `after`',
    breaks: (store) => ({
      readEvents: (tenantId, sessionId, range) =>
        store.readEvents(tenantId, sessionId, { ...range, after: (range.after ?? 0) - 1 }),
    }),
  },
  {
    clause: 'R1',
    title: 'excludes `through`',
    breaks: (store) =>
      readEventsAs(store, (events, _, __, { through }) => events.filter(({ seq }) => seq !== through)),
  },
  {
    clause: 'R1',
    title: 'skips an event at the edge of a full page',
    breaks: (store) =>
      readEventsAs(store, (events, _, __, { limit }) =>
        events.length === limit && limit > 1 ? events.slice(0, -1).concat(events.slice(-1)).slice(1) : events,
      ),
  },
  {
    clause: 'R2',
    title: 'gives one event too many',
    breaks: (store) => ({
      readEvents: (tenantId, sessionId, range) =>
        store.readEvents(tenantId, sessionId, { ...range, limit: range.limit + 1 }),
    }),
  },
  {
    clause: 'R2',
    title: 'counts the bytes of a page in code units',
    breaks: (store) => ({
      async readEvents(tenantId, sessionId, range) {
        const all = await store.readEvents(tenantId, sessionId, {
          ...range,
          maxBytes: Number.MAX_SAFE_INTEGER,
        })
        let units = 0
        return all.filter(({ body }, index) => {
          units += body.length
          return index === 0 || units <= range.maxBytes
        })
      },
    }),
  },
  {
    clause: 'R2',
    title: 'gives an empty page when the first event is too large',
    breaks: (store) =>
      readEventsAs(store, (events, _, __, { maxBytes }) =>
        Buffer.byteLength(events[0]?.body ?? '') > maxBytes ? [] : events,
      ),
  },
  {
    clause: 'R3',
    title: 'gives out live references',
    breaks: (store, { memory }) => ({
      async readRecord(tenantId, kind, id) {
        const name = JSON.stringify([tenantId, kind, id])
        if (!memory.has(name)) memory.set(name, await store.readRecord(tenantId, kind, id))
        return memory.get(name) as Awaited<ReturnType<Store['readRecord']>>
      },
      async listRecords(tenantId, kind, query) {
        const rows = await store.listRecords(tenantId, kind, query)
        return rows.map((row) => {
          return (memory.get(JSON.stringify([tenantId, kind, row.id])) as typeof row | undefined) ?? row
        })
      },
    }),
  },
  {
    clause: 'R3',
    title: 'keeps the bytes that were handed in as they are, without a copy',
    breaks: (store, { memory }) => ({
      async commit(commits) {
        for (const { attachments } of commits)
          for (const { hash, bytes } of attachments) memory.set(hash, bytes)
        return store.commit(commits)
      },
      async readAttachment(tenantId, sessionId, hash) {
        const kept = memory.get(hash) as Uint8Array | undefined
        const read = await store.readAttachment(tenantId, sessionId, hash)
        return read && kept ? Uint8Array.from(kept) : read
      },
    }),
  },
  {
    clause: 'R4',
    title: 'forgets the tenant when it looks for usage',
    breaks: (store, { memory }) => ({
      async commit(commits) {
        for (const { tenantId, usage } of commits) if (usage.length > 0) memory.set('tenant', tenantId)
        return store.commit(commits)
      },
      async readUsage(tenantId, sessionId, after, limit) {
        const owner = (memory.get('tenant') as typeof tenantId | undefined) ?? tenantId
        return store.readUsage(owner, sessionId, after, limit)
      },
    }),
  },
  {
    clause: 'R4',
    title: 'forks across tenants',
    breaks: (store) => ({
      async commit(commits) {
        const outcomes = await store.commit(commits)
        return outcomes.map((outcome, index) =>
          outcome.status === 'source_missing' && commits[index]?.segments?.[0]?.sessionId === 's'
            ? ({ status: 'conflict', seq: 0 } as const)
            : outcome,
        )
      },
    }),
  },
  {
    clause: 'R5',
    title: 'reads every part as of now',
    breaks: (store) => ({
      readParts: (tenantId, sessionId, parts) => store.readParts(tenantId, sessionId, parts),
    }),
  },
  {
    clause: 'R5',
    title: 'gives the row before when a part was removed',
    breaks: (store) => ({
      async readParts(tenantId, sessionId, parts, atSeq) {
        const found = new Map(await store.readParts(tenantId, sessionId, parts, atSeq))
        for (const part of parts) {
          for (let seq = (atSeq ?? 3) - 1; seq > 0 && !found.has(part); seq -= 1) {
            const body = (await store.readParts(tenantId, sessionId, [part], seq)).get(part)
            if (body !== undefined) found.set(part, body)
          }
        }
        return found
      },
    }),
  },
  {
    clause: 'R6',
    title: 'gives the newest waypoint, as of whenever',
    breaks: (store) => ({
      readWaypoint: (tenantId, sessionId) => store.readWaypoint(tenantId, sessionId, 1_000),
    }),
  },
  {
    clause: 'R7',
    title: 'gives refs in falling order',
    breaks: (store) => ({
      async readRefs(...call) {
        return (await store.readRefs(...call)).toReversed()
      },
    }),
  },
  {
    clause: 'R7',
    title: 'finds refs by id alone',
    breaks: (store) => ({
      async readRefs(tenantId, sessionId, _, id) {
        const kinds = ['call', 'message'].map((kind) => store.readRefs(tenantId, sessionId, kind, id))
        return (await Promise.all(kinds)).flat().sort((a, b) => a - b)
      },
    }),
  },
  {
    clause: 'R8',
    title: 'gives out a changed body without a word',
    breaks: (store, { memory }) =>
      readEventsAs(store, (events) =>
        events.map((event) => (memory.has(`${event.seq}`) ? { ...event, body: '"changed"' } : event)),
      ),
    place: (_, { memory }) => ({
      corrupt: async (_, __, seq) => {
        memory.set(`${seq}`, true)
      },
    }),
  },
  {
    clause: 'R8',
    title: 'does not say which kept head is damaged',
    breaks: (store, { memory }) => ({
      async readWaypoint(...call) {
        const found = await store.readWaypoint(...call)
        if (found && memory.has(`${found.seq}`)) throw new HoldfastError('store_corrupt', 'damaged')
        return found
      },
    }),
    place: (_, { memory }) => ({
      corruptWaypoint: async (_, __, seq) => {
        memory.set(`${seq}`, true)
      },
    }),
  },
  {
    clause: 'P1',
    title: 'breaks ties the other way round',
    breaks: (store) =>
      listAs(store, (rows) =>
        rows.toSorted((a, b) =>
          a.key !== b.key ? 0 : Buffer.compare(Buffer.from(b.sessionId), Buffer.from(a.sessionId)),
        ),
      ),
  },
  {
    clause: 'P1',
    title: 'loses ties at the edge of a page',
    breaks: (store) => ({
      async listHeads(tenantId, query) {
        const rows = await store.listHeads(tenantId, query)
        return rows.filter(({ key }) => key !== query.after?.key)
      },
    }),
  },
  {
    clause: 'P2',
    title: 'lists by the first activity',
    breaks: (store, { memory }) => ({
      async commit(commits) {
        return store.commit(
          commits.map((commit) => {
            const first = (memory.get(commit.sessionId) as number | undefined) ?? commit.head.activity
            memory.set(commit.sessionId, first)
            return { ...commit, head: { ...commit.head, activity: first } }
          }),
        )
      },
    }),
  },
  {
    clause: 'P2',
    title: 'pages by offset',
    breaks: (store, { memory }) => ({
      async listHeads(tenantId, { after, ...query }) {
        const offset = after ? ((memory.get('offset') as number | undefined) ?? 0) : 0
        memory.set('offset', offset + query.limit)
        const rows = await store.listHeads(tenantId, { ...query, limit: offset + query.limit })
        return rows.slice(offset)
      },
    }),
  },
  {
    clause: 'P3',
    title: 'lists as due only what is before the time',
    breaks: (store) => ({
      listDue: (tenantId, kind, atMs, limit) => store.listDue(tenantId, kind, atMs - 1, limit),
    }),
  },
  {
    clause: 'P3',
    title: 'lists the latest due first',
    breaks: (store) => ({
      listDue: async (...call) => (await store.listDue(...call)).toReversed(),
    }),
  },
  {
    clause: 'P3',
    title: 'begins every page of a due list with the earliest',
    breaks: (store) => ({
      listDue: (tenantId, kind, atMs, limit) => store.listDue(tenantId, kind, atMs, limit),
    }),
  },
  {
    clause: 'P4',
    title: 'lists a tenant once for each session',
    breaks: (store) => ({
      listTenants: async () => (await store.listTenants()).flatMap((tenantId) => [tenantId, tenantId]),
    }),
  },
  {
    clause: 'P4',
    title: 'forgets a tenant with its last session',
    breaks: (store) => ({
      async listTenants() {
        const tenants = await store.listTenants()
        const lists = tenants.map((tenantId) => store.listHeads(tenantId, { index: 'all', limit: 1 }))
        const rows = await Promise.all(lists)
        return tenants.filter((_, index) => rows[index]?.length)
      },
    }),
  },
  {
    clause: 'F1',
    title: 'reads only the own events of a fork',
    breaks: (store) =>
      readEventsAs(store, async (events, tenantId, sessionId) => {
        const base = (await store.readSegments(tenantId, sessionId)).at(-1)?.to ?? 0
        return events.filter(({ seq }) => seq > base)
      }),
  },
  {
    clause: 'F1',
    title: 'ends a backward page where a segment begins',
    breaks: (store) =>
      readEventsAs(store, async (events, tenantId, sessionId, { direction }) => {
        if (direction === 'forward') return events
        const segments = await store.readSegments(tenantId, sessionId)
        const edge = segments.findLast(({ to }) => to < (events[0]?.seq ?? 0))?.to ?? 0
        return events.filter(({ seq }) => seq > edge)
      }),
  },
  {
    clause: 'F2',
    title: 'copies the prefix when it forks',
    breaks: (store, { memory }) => ({
      async commit(commits) {
        const outcomes = await store.commit(commits)
        for (const { tenantId, sessionId, segments } of commits) {
          if (!segments) continue
          const range = { limit: 1_000, maxBytes: Number.MAX_SAFE_INTEGER, direction: 'forward' } as const
          for (const event of await store.readEvents(tenantId, sessionId, range)) {
            memory.set(JSON.stringify([sessionId, event.seq]), event)
          }
        }
        return outcomes
      },
      ...readEventsAs(store, (events, _, sessionId) =>
        events.map(
          (event) => (memory.get(JSON.stringify([sessionId, event.seq])) as StoredEvent | undefined) ?? event,
        ),
      ),
    }),
  },
  {
    clause: 'F3',
    title: 'shows a fork what its source says later',
    breaks: (store) =>
      readEventsAs(store, async (events, tenantId, sessionId, range) => {
        const source = (await store.readSegments(tenantId, sessionId)).at(-1)
        if (!source) return events
        const later = await store.readEvents(tenantId, source.sessionId, { ...range, after: source.to })
        const bySeq = new Map(later.map((event) => [event.seq, event]))
        return events.map((event) => bySeq.get(event.seq) ?? event)
      }),
  },
  {
    clause: 'F4',
    title: 'deletes forks unasked',
    breaks: (store) => ({
      deleteSession: (tenantId, sessionId) => store.deleteSession(tenantId, sessionId, { cascade: true }),
    }),
  },
  {
    clause: 'F4',
    title: 'refuses to delete what has forks, even with cascade',
    breaks: (store) => ({
      deleteSession: (tenantId, sessionId) => store.deleteSession(tenantId, sessionId, { cascade: false }),
    }),
  },
  {
    clause: 'F5',
    title: 'forks beyond the end of its source',
    breaks: (store) => ({
      async commit(commits) {
        const outcomes = await store.commit(commits)
        return outcomes.map((outcome, index) =>
          outcome.status === 'source_missing' && (commits[index]?.segments?.[0]?.to ?? 0) > 3
            ? ({ status: 'conflict', seq: 0 } as const)
            : outcome,
        )
      },
    }),
  },
  {
    clause: 'F6',
    title: 'finds refs of the source after the fork',
    breaks: (store) => ({
      async readRefs(tenantId, sessionId, kind, id) {
        const sources = (await store.readSegments(tenantId, sessionId)).map((segment) => segment.sessionId)
        const found = [sessionId, ...sources].map((name) => store.readRefs(tenantId, name, kind, id))
        return [...new Set((await Promise.all(found)).flat())].sort((a, b) => a - b)
      },
    }),
  },
  {
    clause: 'F6',
    title: 'does not look for attachments in the prefix',
    breaks: (store, { memory }) => ({
      async commit(commits) {
        for (const { sessionId, attachments } of commits) {
          for (const { hash } of attachments) memory.set(JSON.stringify([sessionId, hash]), true)
        }
        return store.commit(commits)
      },
      async readAttachment(tenantId, sessionId, hash) {
        if (!memory.has(JSON.stringify([sessionId, hash]))) return undefined
        return store.readAttachment(tenantId, sessionId, hash)
      },
    }),
  },
]
