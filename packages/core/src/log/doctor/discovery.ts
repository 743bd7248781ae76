/** A finding with what a repair would do about it. */
import type { SessionCommand } from '../../session/decide/index.ts'
import type { Rebuild } from '../../store/store.ts'
import { type Finding, type FindingCode, findingOf } from './findings.ts'

/** Rows to be put in place; absent members change nothing. */
export type RebuiltRows = Partial<Omit<Rebuild, 'tenantId' | 'sessionId' | 'lastSeq'>>

export type Fix =
  | { type: 'rebuild'; rows: RebuiltRows }
  | { type: 'recover' }
  | { type: 'append'; commands: readonly SessionCommand[]; dropDrafts?: readonly string[] }

export interface Discovery {
  finding: Finding
  /** Absent: a repair cannot help. */
  fix?: Fix
}

export function discovery(
  code: FindingCode,
  sessionId: string,
  message: string,
  { seq, fix }: { seq?: number; fix?: Fix } = {},
): Discovery {
  const finding = findingOf(code, message, { sessionId, ...(seq !== undefined && { seq }) })
  return fix ? { finding, fix } : { finding }
}

export function toRebuild(rows: RebuiltRows): Fix {
  return { type: 'rebuild', rows }
}
