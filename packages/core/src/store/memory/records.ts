/** Records: one row per kind and id, changed only on the expected version. */
import type { RecordOutcome, RecordRow } from '../store.ts'
import { compareIds } from './lists.ts'
import type { KeptTenant } from './place.ts'

export interface RecordQuery {
  key?: string
  after?: string
  limit: number
}

export function putRecord(
  { records }: KeptTenant,
  { kind, id, key, body }: Omit<RecordRow, 'version'>,
  expectedVersion: number,
): RecordOutcome {
  const ofKind = records.get(kind) ?? new Map<string, RecordRow>()
  const version = ofKind.get(id)?.version ?? 0
  if (version !== expectedVersion) return { status: 'conflict', version }
  records.set(kind, ofKind.set(id, { kind, id, version: version + 1, key, body }))
  return { status: 'written', version: version + 1 }
}

export function listRecords({ records }: KeptTenant, kind: string, query: RecordQuery): RecordRow[] {
  const { key, after, limit } = query
  return [...(records.get(kind)?.values() ?? [])]
    .filter((record) => key === undefined || record.key === key)
    .filter((record) => after === undefined || compareIds(record.id, after) > 0)
    .sort((a, b) => compareIds(a.id, b.id))
    .slice(0, limit)
    .map((record) => ({ ...record }))
}
