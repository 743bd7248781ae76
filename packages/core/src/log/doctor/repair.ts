/**
 * Putting right what was found, as far as what is stored allows. The log is only appended to; what was derived from it is
 * folded anew; nothing that is the only copy of anything is taken away. Each session is judged again before it is
 * touched, so a repair that was killed half-way is done by the next one, and one that was done finds nothing to do.
 */
import { type Actor, id, isHoldfastError, limits, parseInput, type TenantId } from '@holdfast/protocol'
import { textOf } from '../../session/projections.ts'
import { requireKnown } from '../option-names.ts'
import type { TenantLog } from '../tenant-log.ts'
import { type Finding, isOfStore, type RepairWay } from './findings.ts'
import { repairSession } from './repair-session.ts'

export interface RepairOptions {
  /** Says what would be done, and does nothing. */
  dryRun?: boolean
  /** Who is written on what is appended; default the system's repair. */
  actor?: Actor
}

export interface Repaired {
  dryRun: boolean
  /** What was found and put right, or would be. */
  repaired: Finding[]
  /** What nothing here can put right, or could not now; `message` and `repair` say what can. */
  left: Finding[]
}

const repairActor: Actor = { kind: 'system', id: 'repair' }

type Target = string | Iterable<Finding> | AsyncIterable<Finding>
type LogOf = (tenantId: TenantId) => TenantLog

/**
 * A session by its id, or what a doctor found, of any tenant that `logOf` gives. Of several sessions, one that is gone is
 * passed over, and one that cannot be repaired now hinders no other: what was found in it is left.
 */
export async function repair(
  log: TenantLog,
  logOf: LogOf,
  target: Target,
  options: RepairOptions = {},
): Promise<Repaired> {
  requireKnown(options, ['dryRun', 'actor'], 'repair')
  const { dryRun = false, actor = repairActor } = options
  if (typeof target === 'string') {
    return { dryRun, ...(await repairSession(log, parseInput(id, target, 'sessionId'), { actor, dryRun })) }
  }
  const done: Repaired = { dryRun, repaired: [], left: [] }
  const { ofStore, sessions } = await sorted(target, log.tenantId)
  for (const { tenantId, sessionId, findings } of sessions) {
    const { repaired, left } = await repairFound(findings, () =>
      repairSession(logOf(tenantId), sessionId, { actor, dryRun }),
    )
    done.repaired.push(...repaired)
    done.left.push(...left)
  }
  const mendable = ofStore.filter(({ repair: way }) => way === 'scrub' || way === 'reindex')
  done.left.push(...ofStore.filter((finding) => !mendable.includes(finding)))
  const { repaired, left } = await repairFound(mendable, async () => {
    if (!dryRun) await repairStore(log, new Set(mendable.map(({ repair: way }) => way)))
    return { repaired: mendable, left: [] }
  })
  done.repaired.push(...repaired)
  done.left.push(...left)
  return done
}

interface Found {
  ofStore: Finding[]
  sessions: Iterable<{ tenantId: TenantId; sessionId: string; findings: Finding[] }>
}

async function sorted(found: Exclude<Target, string>, asking: TenantId): Promise<Found> {
  const ofStore: Finding[] = []
  const sessions = new Map<string, { tenantId: TenantId; sessionId: string; findings: Finding[] }>()
  for await (const finding of found) {
    const { tenantId = asking, sessionId } = finding
    if (isOfStore(finding)) ofStore.push(finding)
    else if (sessionId !== undefined) {
      const name = JSON.stringify([tenantId, sessionId])
      const session = sessions.get(name) ?? { tenantId, sessionId, findings: [] }
      session.findings.push(finding)
      sessions.set(name, session)
    }
  }
  return { ofStore, sessions: sessions.values() }
}

type Outcome = Pick<Repaired, 'repaired' | 'left'>

/** The store answers nobody any more; every other error is of what was to be repaired. */
const ofAll: readonly string[] = ['store_unavailable', 'store_full', 'store_closed', 'commit_unknown']

async function repairFound(found: Finding[], work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work()
  } catch (error) {
    if (isHoldfastError(error, 'not_found')) return { repaired: [], left: [] }
    if (!isHoldfastError(error) || ofAll.includes(error.code)) throw error
    return { repaired: [], left: found }
  }
}

async function repairStore({ store }: TenantLog, ways: ReadonlySet<RepairWay>): Promise<void> {
  if (ways.has('scrub')) await store.scrub()
  if (!ways.has('reindex')) return
  await store.resetIndex()
  for (const tenant of await store.listTenants())
    while (await store.indexPending(tenant, textOf, limits.searchIndexBytes));
}
