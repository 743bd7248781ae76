/** Reading a session as it stands, and replacing what was derived from its log. */
import type { RawSession, Rebuild, RefRow } from '../store.ts'
import { type KeptSession, type KeptTenant, refName, seqOf } from './place.ts'

export function rawSession(session: KeptSession): RawSession {
  const seq = seqOf(session)
  return { seq, lastSeq: seq, head: { ...session.head }, lease: { ...session.lease } }
}

export function refsBetween({ refs }: KeptSession, from: number, through: number): RefRow[] {
  return [...refs].flatMap(([name, seqs]) => {
    const [kind, id] = JSON.parse(name) as [string, string]
    if (kind === 'draft') return []
    return seqs.filter((seq) => from <= seq && seq <= through).map((seq) => ({ kind, id, seq }))
  })
}

/** False when it was folded from another last event. */
export function rebuild(tenant: KeptTenant, session: KeptSession, rebuilt: Rebuild): boolean {
  const { lastSeq, head, lease } = rebuilt
  if (seqOf(session) !== lastSeq) return false
  dropBeyond(tenant, session, lastSeq)
  if (head) session.head = { ...head }
  if (lease) session.lease = { ...lease }
  for (const { part, seq, body } of rebuilt.parts) {
    session.parts.set(part, withRow(session.parts.get(part) ?? [], { seq, body }))
  }
  for (const row of rebuilt.waypoints) session.waypoints = withRow(session.waypoints, { ...row })
  for (const ref of rebuilt.strayRefs) setRefs(session, ref, (seqs) => seqs.filter((seq) => seq !== ref.seq))
  for (const ref of rebuilt.refs) setRefs(session, ref, (seqs) => [...new Set([...seqs, ref.seq])])
  rebuildUsage(tenant, rebuilt)
  return true
}

function dropBeyond(tenant: KeptTenant, session: KeptSession, lastSeq: number): void {
  const isWithin = ({ seq }: { seq: number }) => seq <= lastSeq
  for (const [part, rows] of session.parts) session.parts.set(part, rows.filter(isWithin))
  session.waypoints = session.waypoints.filter(isWithin)
  for (const [name, seqs] of session.refs) {
    session.refs.set(
      name,
      seqs.filter((seq) => seq <= lastSeq),
    )
  }
  const usage = tenant.usage.get(session.sessionId)
  if (usage) tenant.usage.set(session.sessionId, usage.filter(isWithin))
}

function withRow<T extends { seq: number }>(rows: readonly T[], row: T): T[] {
  return [...rows.filter(({ seq }) => seq !== row.seq), row].sort((a, b) => a.seq - b.seq)
}

function setRefs({ refs }: KeptSession, { kind, id }: RefRow, change: (seqs: number[]) => number[]): void {
  const name = refName(kind, id)
  refs.set(
    name,
    change(refs.get(name) ?? []).sort((a, b) => a - b),
  )
}

function rebuildUsage({ usage }: KeptTenant, { sessionId, usageSeqs, usage: rows }: Rebuild): void {
  if (usageSeqs.length === 0) return
  const replaced = new Set(usageSeqs)
  const kept = (usage.get(sessionId) ?? []).filter(({ seq }) => !replaced.has(seq))
  usage.set(
    sessionId,
    [...kept, ...rows.map((row) => ({ ...row }))].sort((a, b) => a.seq - b.seq),
  )
}
