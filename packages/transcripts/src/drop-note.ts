/** Notes of a session that a file has no line for. */
import type { LossReport } from './loss-report.ts'

/** What they say stands elsewhere, or is ours alone. */
const silent = ['attachment', 'import.position']

export function dropNote(report: LossReport, kind: string): void {
  if (!silent.includes(kind)) report.drop(`notes of kind ${kind}`)
}
