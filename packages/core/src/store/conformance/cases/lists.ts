/** P: lists of sessions. */
import type { HeadRow, ListIndex, ListQuery, ListRow } from '../../store.ts'
import type { StoreCase } from '../case.ts'
import { same, sameSet } from '../expect.ts'
import { hostileIds } from '../hostile.ts'
import { allPages } from '../paging.ts'
import type { Trial } from '../trial.ts'

/** Ties, ids in an order that locales disagree about, and rows that some lists leave out. */
const sessions: readonly [id: string, head: Partial<HeadRow>][] = [
  ['b', { activity: 5, createdAtMs: 50, ownerUserId: 'u1', questionAskedAtMs: 700 }],
  ['B', { activity: 5, createdAtMs: 50, ownerUserId: 'u1', questionAskedAtMs: 700 }],
  ['a', { activity: 5, createdAtMs: 50, ownerUserId: 'u2' }],
  ['a.1', { activity: 5, createdAtMs: 40, ownerUserId: 'u1', agentId: 'x' }],
  ['a-1', { activity: 9, createdAtMs: 50, ownerUserId: 'u1', conversationId: 'c2' }],
  ['a_1', { activity: 1, createdAtMs: 50, ownerUserId: 'u1', threadId: 't2', questionAskedAtMs: 3 }],
  ['10', { activity: 5, createdAtMs: 60, ownerUserId: 'u1', rootSessionId: 'b' }],
  ['9', { activity: 7, createdAtMs: 10, rootSessionId: 'b', questionAskedAtMs: 900 }],
  ['é', { activity: 5, createdAtMs: 50, ownerUserId: 'u1', rootSessionId: 'b' }],
  ['\uff21', { activity: 5, createdAtMs: 50, ownerUserId: 'u1' }],
  ['😀', { activity: 5, createdAtMs: 50, ownerUserId: 'u1', agentId: 'x' }],
]

const queries: readonly [index: ListIndex, value: string | undefined][] = [
  ['all', undefined],
  ['owner', 'u1'],
  ['owner', 'u2'],
  ['owner', 'nobody'],
  ['agent', 'agent'],
  ['agent', 'x'],
  ['conversation', 'conversation'],
  ['conversation', 'c2'],
  ['thread', 'thread'],
  ['thread', 't2'],
  ['root', 'b'],
  ['question', undefined],
]

function columnOf(index: ListIndex): keyof HeadRow | undefined {
  const columns = {
    owner: 'ownerUserId',
    agent: 'agentId',
    conversation: 'conversationId',
    thread: 'threadId',
    root: 'rootSessionId',
  } as const
  return index === 'all' || index === 'question' ? undefined : columns[index]
}

function keyColumnOf(index: ListIndex): 'activity' | 'createdAtMs' | 'questionAskedAtMs' {
  if (index === 'question') return 'questionAskedAtMs'
  return index === 'all' || index === 'owner' || index === 'agent' ? 'activity' : 'createdAtMs'
}

/** What a list must hold: `key id`, in order. */
function expectedOf(
  heads: ReadonlyMap<string, HeadRow>,
  index: ListIndex,
  value: string | undefined,
): string[] {
  const column = columnOf(index)
  const key = keyColumnOf(index)
  const sign = key === 'activity' ? -1 : 1
  return [...heads]
    .filter(([, head]) => head[key] !== undefined && (column === undefined || head[column] === value))
    .map(([id, head]) => ({ id, key: head[key] ?? 0 }))
    .sort((a, b) => sign * (a.key - b.key || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id))))
    .map((row) => `${row.key} ${row.id}`)
}

async function createAll(t: Trial): Promise<Map<string, HeadRow>> {
  const heads = new Map<string, HeadRow>()
  for (const [id, head] of sessions) {
    const commit = t.creation(id, { head })
    await t.sendAll([commit])
    heads.set(id, commit.head)
  }
  return heads
}

/** Walks a list, one page after the other; `between` is called after each page. */
async function walk(
  t: Trial,
  query: Omit<ListQuery, 'after'>,
  between: () => Promise<void> = async () => {},
): Promise<ListRow[]> {
  return allPages(async (last: ListRow | undefined) => {
    const after = last ? { after: { key: last.key, id: last.sessionId } } : {}
    const page = await t.store.listHeads(t.tenant, { ...query, ...after })
    await between()
    return page
  })
}

function queryOf(index: ListIndex, value: string | undefined, limit: number): ListQuery {
  return { index, limit, ...(value === undefined ? {} : { value }) }
}

export const listCases: readonly StoreCase[] = [
  {
    id: 'P1.1',
    clause: 'P1',
    title: 'every list is complete and in order, whatever the page size, with ties broken by id',
    async run(t) {
      const heads = await createAll(t)
      for (const [index, value] of queries) {
        const expected = expectedOf(heads, index, value)
        for (const limit of [1, 2, 3, 100]) {
          const rows = await walk(t, queryOf(index, value, limit))
          const said = `${index} ${value ?? ''} by ${limit}`
          same(
            rows.map((row) => `${row.key} ${row.sessionId}`),
            expected,
            said,
          )
        }
      }
    },
  },
  {
    id: 'P1.2',
    clause: 'P1',
    title: 'a list row holds the head as it is now',
    async run(t) {
      await t.createHeld('s')
      await t.append('s', { head: { body: '"newest"' }, events: 2 })
      const [row] = await t.store.listHeads(t.tenant, { index: 'all', limit: 10 })
      same(row, { ...(await t.store.readHead(t.tenant, 's')), key: 1 })
      same([row?.seq, row?.body, row?.lease.epoch], [4, '"newest"', 1])
    },
  },
  {
    id: 'P1.3',
    clause: 'P1',
    title: 'values that look alike to SQL make different lists',
    async run(t) {
      for (const [index, value] of hostileIds.entries()) {
        const head = { ownerUserId: value, agentId: value, conversationId: value, threadId: value }
        await t.create(`s${index}`, { head: { ...head, rootSessionId: value } })
      }
      for (const list of ['owner', 'agent', 'conversation', 'thread', 'root'] as const) {
        for (const [index, value] of hostileIds.entries()) {
          const rows = await t.store.listHeads(t.tenant, { index: list, value, limit: 100 })
          same(
            rows.map(({ sessionId }) => sessionId),
            [`s${index}`],
            `${list} ${value}`,
          )
        }
      }
    },
  },
  {
    id: 'P1.4',
    clause: 'P1',
    title: 'a session without an owner or a question is in no list of owners or questions',
    async run(t) {
      await t.create('s')
      same(await t.store.listHeads(t.tenant, { index: 'owner', value: '', limit: 10 }), [])
      same(await t.store.listHeads(t.tenant, { index: 'question', limit: 10 }), [])
    },
  },
  {
    id: 'P2.1',
    clause: 'P2',
    title: 'a session moves to the front with its activity, in each list by activity',
    async run(t) {
      for (const [index, id] of ['a', 'b', 'c'].entries()) {
        await t.create(id, { head: { activity: index + 1, ownerUserId: 'u' } })
      }
      await t.append('a', { head: { activity: 9, ownerUserId: 'u' } })
      for (const [index, value] of [['all'], ['owner', 'u'], ['agent', 'agent']] as [ListIndex, string?][]) {
        same(
          (await walk(t, queryOf(index, value, 2))).map((row) => `${row.key} ${row.sessionId}`),
          ['9 a', '3 c', '2 b'],
        )
      }
      same(
        (await walk(t, queryOf('thread', 'thread', 2))).map(({ sessionId }) => sessionId),
        ['a', 'b', 'c'],
      )
    },
  },
  {
    id: 'P2.2',
    clause: 'P2',
    title: 'rows that move while a list is paged neither repeat nor hide those that stay',
    async run(t) {
      const ids = Array.from({ length: 20 }, (_, index) => `s${index}`)
      for (const [index, id] of ids.entries()) await t.create(id, { head: { activity: 100 + index } })
      const movers = ['s3', 's7', 's11', 's2']
      let activity = 1_000
      const rows = await walk(t, { index: 'all', limit: 3 }, async () => {
        const mover = movers.shift()
        if (mover !== undefined) await t.append(mover, { head: { activity: ++activity } })
      })
      const moved = ['s3', 's7', 's11', 's2']
      const stayed = rows.map(({ sessionId }) => sessionId).filter((id) => !moved.includes(id))
      same(stayed, ids.filter((id) => !moved.includes(id)).reverse())
    },
  },
  {
    id: 'P3.1',
    clause: 'P3',
    title: 'due lists hold the sessions whose time is at or before the given one, earliest first',
    async run(t) {
      await t.create('late', { head: { expiresAtMs: 30, questionExpiresAtMs: 300 } })
      await t.create('early', { head: { expiresAtMs: 10, questionExpiresAtMs: 100 } })
      await t.create('middle', { head: { expiresAtMs: 20, questionExpiresAtMs: 200 } })
      await t.create('never')
      const due = (atMs: number, limit = 10) => t.store.listDue(t.tenant, 'expiry', atMs, limit)
      same(await due(9), [])
      same(await due(10), ['early'])
      same(await due(29), ['early', 'middle'])
      same(await due(1_000), ['early', 'middle', 'late'])
      same(await due(1_000, 2), ['early', 'middle'])
      same(await t.store.listDue(t.tenant, 'question', 200, 10), ['early', 'middle'])
      same(await t.store.listDue(t.tenant, 'lease', 1_000, 10), [])
    },
  },
  {
    id: 'P3.2',
    clause: 'P3',
    title: 'a session leaves a due list when its time moves or goes',
    async run(t) {
      await t.create('s', { head: { expiresAtMs: 10, questionExpiresAtMs: 10 } })
      await t.append('s', { head: { expiresAtMs: 50 } })
      same(await t.store.listDue(t.tenant, 'expiry', 49, 10), [])
      same(await t.store.listDue(t.tenant, 'expiry', 50, 10), ['s'])
      same(await t.store.listDue(t.tenant, 'question', 1_000, 10), [])
    },
  },
  {
    id: 'P3.3',
    clause: 'P3',
    title: 'a held lease is due at its end, which a renewal moves',
    async run(t) {
      const start = t.clock.now()
      await t.createHeld('s')
      await t.createHeld('renewed')
      await t.store.renewLease(t.tenant, 'renewed', 1, 90_000)
      same(await t.store.listDue(t.tenant, 'lease', start + 59_999, 10), [])
      same(await t.store.listDue(t.tenant, 'lease', start + 60_000, 10), ['s'])
      same(await t.store.listDue(t.tenant, 'lease', start + 90_000, 10), ['s', 'renewed'])
    },
  },
  {
    id: 'P3.4',
    clause: 'P3',
    title: 'a due list goes on after those that are skipped, in the same order',
    async run(t) {
      for (const id of ['c', 'b', 'a']) await t.create(id, { head: { expiresAtMs: 10 } })
      await t.create('z', { head: { expiresAtMs: 5 } })
      const due = (limit: number, skip: number) => t.store.listDue(t.tenant, 'expiry', 10, limit, skip)
      same(await due(2, 0), ['z', 'a'])
      same(await due(2, 1), ['a', 'b'])
      same(await due(9, 3), ['c'])
      same(await due(9, 4), [])
    },
  },
  {
    id: 'P4.1',
    clause: 'P4',
    title: 'each tenant that has or had a session is listed once',
    async run(t) {
      await t.create('a')
      await t.create('b')
      await t.create('a', { tenantId: t.stranger })
      sameSet(await t.store.listTenants(), [t.tenant, t.stranger])
      await t.store.deleteSession(t.stranger, 'a', { cascade: false })
      sameSet(await t.store.listTenants(), [t.tenant, t.stranger])
    },
  },
]
