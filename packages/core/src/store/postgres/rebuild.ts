/** Replacing what was derived from a log by what was folded from it anew. */
import type { TenantId } from '@holdfast/protocol'
import type { Rebuild } from '../store.ts'
import type { Step } from './flush.ts'
import type { Known } from './known.ts'
import { putPartsStep, putWaypointsStep } from './parts.ts'
import { addRefsStep, deleteRefsStep } from './refs.ts'
import { findAllStep } from './search.ts'
import { lastEventSeq, lockSession, setHeadSteps, setLeaseStep, setSeqStep } from './sessions.ts'
import type { Transactions } from './transactions.ts'
import { replaceUsageSteps } from './usage.ts'

const DROP_BEYOND: readonly string[] = [
  'DELETE FROM @parts WHERE tenant = $1 AND session = $2 AND seq > $3',
  'DELETE FROM @waypoints WHERE tenant = $1 AND session = $2 AND seq > $3',
  'DELETE FROM @refs WHERE tenant = $1 AND session = $2 AND seq > $3',
  'DELETE FROM @usage WHERE tenant = $1 AND session = $2 AND seq > $3',
  'DELETE FROM @search WHERE tenant = $1 AND session = $2 AND seq > $3',
  'DELETE FROM @stale_words WHERE tenant = $1 AND session = $2 AND seq > $3',
]

/** False when it was folded from another last event. */
export async function rebuild(db: Transactions, known: Known, rebuilt: Rebuild): Promise<boolean> {
  const { tenantId, sessionId, lastSeq } = rebuilt
  try {
    return await db.transact(tenantId, async (tx) => {
      const session = await lockSession(tx, tenantId, sessionId)
      if (!session || (await lastEventSeq(tx, tenantId, sessionId, session)) !== lastSeq) return false
      for (const step of stepsOf(tenantId, rebuilt)) tx.send(step)
      return true
    })
  } finally {
    known.forget(tenantId, sessionId)
  }
}

function stepsOf(tenant: TenantId, rebuilt: Rebuild): Step[] {
  const { sessionId, lastSeq, head, lease, parts, waypoints, strayRefs, refs, usageSeqs, usage } = rebuilt
  return [
    findAllStep(tenant),
    ...DROP_BEYOND.map((sql) => ({ sql, values: [tenant, sessionId, lastSeq] })),
    setSeqStep(tenant, sessionId, lastSeq),
    ...(head ? setHeadSteps(tenant, sessionId, head) : []),
    ...(lease ? [setLeaseStep(tenant, sessionId, lease)] : []),
    putPartsStep(tenant, sessionId, parts),
    putWaypointsStep(tenant, sessionId, waypoints),
    deleteRefsStep(tenant, sessionId, strayRefs),
    addRefsStep(tenant, sessionId, refs),
    ...replaceUsageSteps(tenant, sessionId, usageSeqs, usage),
  ]
}
