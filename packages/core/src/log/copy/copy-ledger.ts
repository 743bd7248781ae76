/**
 * What deleted sessions have cost stays in the ledger, and is copied too. A row comes into a ledger only with a session:
 * so there is one for a moment, and its deletion leaves there what it left here, rows and a used id.
 */
import { type EventData, HoldfastError, limits, type TenantId } from '@holdfast/protocol'
import { fold } from '../../session/fold/index.ts'
import type { FoldEvent } from '../../session/state.ts'
import type { LedgerRow, Store, UsagePosition } from '../../store/store.ts'
import { encodeEvent } from '../event-codec.ts'
import { headRow } from '../head-codec.ts'
import { rowText, sumsText } from './fingerprint.ts'

/**
 * Sessions that are there are copied before; `onlyThere` are those that only the target has, and which were deleted in the
 * source if its ledger knows them. Gives the ids of deleted ones that something was done for.
 */
export async function copyLedgerOfDeleted(
  from: Store,
  to: Store,
  tenantId: TenantId,
  onlyThere: readonly string[],
): Promise<string[]> {
  const sums = async (store: Store) => sumsText(await store.sumUsage(tenantId, {}))
  const isSame = (await sums(from)) === (await sums(to))
  const copied: string[] = []
  for (const sessionId of new Set([...onlyThere, ...(isSame ? [] : await deletedIn(from, tenantId))])) {
    if (await copyDeleted(from, to, tenantId, sessionId)) copied.push(sessionId)
  }
  return copied
}

/** Sessions with rows and without anything else. */
async function deletedIn(store: Store, tenantId: TenantId): Promise<string[]> {
  const seen = new Set<string>()
  const deleted: string[] = []
  for await (const { sessionId } of ledgerOf(store, tenantId, undefined)) {
    if (seen.has(sessionId)) continue
    seen.add(sessionId)
    if (!(await store.readHead(tenantId, sessionId))) deleted.push(sessionId)
  }
  return deleted
}

async function* ledgerOf(
  store: Store,
  tenantId: TenantId,
  sessionId: string | undefined,
): AsyncGenerator<LedgerRow> {
  const filter = sessionId === undefined ? {} : { sessionId }
  let after: UsagePosition | undefined
  do {
    const walk = { filter, limit: limits.ledgerRows, ...(after && { after }) }
    const { rows, next } = await store.listUsage(tenantId, walk)
    yield* rows
    after = next
  } while (after)
}

/** False: there is nothing to do, or nobody here knows of it. */
async function copyDeleted(from: Store, to: Store, tenantId: TenantId, sessionId: string): Promise<boolean> {
  const rows = await gathered(from, tenantId, sessionId)
  const [first] = rows
  if (!first) return false
  const there = await gathered(to, tenantId, sessionId)
  const isAlive = (await to.readHead(tenantId, sessionId)) !== undefined
  if (isAlive && !isWithin(there, rows)) return false
  if (there.length === 0 && !isAlive) await write(to, tenantId, first, rows)
  else if (!isAlive && there.map(rowText).join() !== rows.map(rowText).join()) throw parted(sessionId)
  else if (!isAlive) return false
  await to.deleteSession(tenantId, sessionId, { cascade: false })
  return true
}

/** A session that has cost more there went on there: it is that store's, whatever became of it here. */
function isWithin(there: readonly LedgerRow[], here: readonly LedgerRow[]): boolean {
  const known = new Set(here.map(({ attemptId }) => attemptId))
  return there.every(({ attemptId }) => known.has(attemptId))
}

async function gathered(store: Store, tenantId: TenantId, sessionId: string): Promise<LedgerRow[]> {
  const found: LedgerRow[] = []
  for await (const row of ledgerOf(store, tenantId, sessionId)) found.push(row)
  return found
}

async function write(
  to: Store,
  tenantId: TenantId,
  first: LedgerRow,
  usage: readonly LedgerRow[],
): Promise<void> {
  const { sessionId } = first
  const event = placeholder(tenantId, first)
  const [outcome] = await to.commit([
    {
      tenantId,
      sessionId,
      commitId: first.attemptId,
      baseSeq: 0,
      create: true,
      events: [encodeEvent(event)],
      head: headRow(fold(undefined, event).head),
      parts: [],
      refs: [],
      usage,
      attachments: [],
      waypoint: false,
      dropDrafts: [],
    },
  ])
  if (outcome?.status === 'failed') throw outcome.error
  if (outcome?.status !== 'committed') throw parted(sessionId)
}

/** A session that nobody sees: it is deleted at once. */
function placeholder(tenantId: TenantId, { sessionId, at, agentId, rootSessionId }: LedgerRow): FoldEvent {
  const data: EventData<'session.created'> = {
    sessionId,
    tenantId,
    conversationId: sessionId,
    threadId: sessionId,
    agentId,
    agentName: agentId,
    channel: 'api',
    modelPolicy: 'switchable',
    ttlSliding: false,
    purpose: 'autonomous',
    pinned: false,
    lineage: 'root',
    rootSessionId,
    spawnDepth: 0,
  }
  return { seq: 1, type: 'session.created', v: 1, at, actor: { kind: 'host' }, data }
}

function parted(sessionId: string): HoldfastError {
  const message = `the ledger there has other rows of the deleted session ${sessionId}`
  return new HoldfastError('id_taken', message, { details: { sessionId } })
}
