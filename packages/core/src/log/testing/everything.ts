/** All that readers are given of these sessions, as text: two are equal when nobody could tell a difference. */
import { DEFAULT_TENANT, isHoldfastError, tenantId } from '@holdfast/protocol'
import type { Store } from '../../store/store.ts'
import type { Holdfast } from '../holdfast.ts'
import { LogReads } from '../log-reads.ts'
import { upcasters } from '../upcast.ts'

export async function everything(
  store: Store,
  holdfast: Holdfast,
  sessionIds: readonly string[],
): Promise<Record<string, string>> {
  const reads = new LogReads(store, tenantId(DEFAULT_TENANT), upcasters)
  const found: Record<string, string> = {}
  for (const id of sessionIds) {
    found[`session ${id}`] = await told(() => ofSession(holdfast, id))
    found[`states ${id}`] = await told(() => statesOf(reads, id))
    found[`drafts ${id}`] = await told(() => store.listDrafts(reads.tenantId, id))
  }
  found.list = await told(() => holdfast.sessions.list({}, { limit: 1_000 }))
  found.agent = await told(() => holdfast.sessions.list({ agentId: 'agent' }, { limit: 1_000 }))
  found.questions = await told(() => holdfast.sessions.list({ hasQuestion: true }, { limit: 1_000 }))
  found.totals = await told(() => holdfast.usage.totals())
  found.due = await told(() => store.listDue(reads.tenantId, 'expiry', Number.MAX_SAFE_INTEGER, 1_000))
  return found
}

async function ofSession(holdfast: Holdfast, sessionId: string): Promise<unknown> {
  const session = await holdfast.sessions.open(sessionId)
  const { events } = await session.events({ limit: 1_000 })
  const hashes = events.flatMap(
    (event) => /"hash":"([0-9a-f]{64})"/.exec(JSON.stringify(event.data))?.[1] ?? [],
  )
  const files: unknown[] = []
  for (const hash of hashes) files.push(await session.getAttachment(hash))
  return [
    events,
    files,
    await session.view(),
    await session.messages({ limit: 1_000 }),
    await session.providerView(),
    await holdfast.usage.list(sessionId, { limit: 1_000 }),
  ]
}

/** Older states, as forks and undos are folded from them, and the ids that events are found by. */
async function statesOf(reads: LogReads, sessionId: string): Promise<unknown> {
  const { seq } = (await reads.requireHead(sessionId)).state.head
  const states: unknown[] = []
  for (let atSeq = 1; atSeq < seq; atSeq += 5) states.push(canonical(await reads.stateAt(sessionId, atSeq)))
  const refs = await reads.store.listRefs(reads.tenantId, sessionId, 0, Number.MAX_SAFE_INTEGER)
  return [...states, refs.map(({ kind, id, seq: at }) => `${kind} ${id} ${at}`).sort()]
}

/** A state that was read and one that was folded have their keys in another order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item) => {
    if (item === null || typeof item !== 'object' || Array.isArray(item)) return item
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

async function told(read: () => Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await read())
  } catch (error) {
    if (isHoldfastError(error)) return `error ${error.code}`
    throw error
  }
}
