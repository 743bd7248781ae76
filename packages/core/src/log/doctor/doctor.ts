/**
 * Looking for damage: in one session, in all of a tenant, or in the whole store with what the store can tell of itself.
 * Findings come as they are made, and memory does not grow with what is looked at. Only reads.
 */
import { HoldfastError, id, isHoldfastError, parseInput, type TenantId } from '@holdfast/protocol'
import { textOf } from '../../session/projections.ts'
import { requireKnown } from '../option-names.ts'
import type { TenantLog } from '../tenant-log.ts'
import { examine } from './examine.ts'
import { type Finding, findingOf } from './findings.ts'

export interface DoctorOptions {
  /** Only this session. */
  sessionId?: string
  /** Every tenant's sessions, and the store itself: its engine, settings, stray rows and search index. */
  everyTenant?: boolean
  /** Also where else what is acknowledged is, and what may be lost with one machine. */
  replication?: boolean
}

/** `log` is of the asking tenant; `logOf` gives any other's. */
export async function* doctor(
  log: TenantLog,
  logOf: (tenantId: TenantId) => TenantLog,
  options: DoctorOptions = {},
): AsyncGenerator<Finding, void, void> {
  requireKnown(options, ['sessionId', 'everyTenant', 'replication'], 'doctor')
  const { sessionId, everyTenant = false, replication = false } = options
  if (sessionId !== undefined && everyTenant) {
    throw new HoldfastError('invalid_input', 'doctor: name a session, or say everyTenant, not both.')
  }
  if (replication)
    for (const { code, message } of await log.store.checkReplication()) yield findingOf(code, message)
  if (sessionId !== undefined) {
    yield* lookAt(log, parseInput(id, sessionId, 'sessionId'))
    return
  }
  if (everyTenant) {
    for await (const { code, message, ...place } of log.store.checkStore(textOf))
      yield findingOf(code, message, place)
  }
  for (const tenant of everyTenant ? await log.store.listTenants() : [log.tenantId])
    yield* lookAtAll(logOf(tenant))
}

async function* lookAt(log: TenantLog, sessionId: string): AsyncGenerator<Finding, void, void> {
  for await (const { finding } of examine(log, sessionId)) yield { ...finding, tenantId: log.tenantId }
}

/** Newest activity first. What moved to the front meanwhile is looked at after the end was reached. */
async function* lookAtAll(log: TenantLog): AsyncGenerator<Finding, void, void> {
  const start = Math.floor(log.nowMs / 1_000)
  const recent = new Set<string>()
  for await (const { sessionId, key } of sessionsFrom(log)) {
    if (key >= start) recent.add(sessionId)
    yield* unlessDeleted(log, sessionId)
  }
  for await (const { sessionId, key } of sessionsFrom(log)) {
    if (key < start) return
    if (!recent.has(sessionId)) yield* unlessDeleted(log, sessionId)
  }
}

async function* sessionsFrom(log: TenantLog): AsyncGenerator<{ sessionId: string; key: number }> {
  let after: { key: number; id: string } | undefined
  for (;;) {
    const rows = await log.store.listHeads(log.tenantId, {
      index: 'all',
      limit: 200,
      ...(after && { after }),
    })
    for (const { sessionId, key } of rows) yield { sessionId, key }
    const last = rows.at(-1)
    if (!last || rows.length < 200) return
    after = { key: last.key, id: last.sessionId }
  }
}

async function* unlessDeleted(log: TenantLog, sessionId: string): AsyncGenerator<Finding, void, void> {
  try {
    yield* lookAt(log, sessionId)
  } catch (error) {
    if (!isHoldfastError(error, 'not_found')) throw error
  }
}
