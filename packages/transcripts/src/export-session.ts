/** Writes a session in one of the formats. */
import { HoldfastError } from '@holdfast/protocol'
import type { ExportedSession, Sink } from './contract.ts'
import { formatNamed, formats } from './formats.ts'
import { LossReport } from './loss-report.ts'

/** Where sessions are: an open Holdfast, or a server. */
export interface ExportPlace {
  sessions: { open(id: string): Promise<ExportedSession> }
}

/**
 * Gives what could not be carried over. `not_found` without the session, `invalid_input` for a format that is unknown or
 * read only.
 */
export async function exportSession(
  holdfast: ExportPlace,
  sessionId: string,
  format: string,
  sink: Sink,
): Promise<LossReport> {
  const { write } = formatNamed(format)
  if (!write) {
    const writable = formats.filter((each) => each.write).map(({ name }) => name)
    throw new HoldfastError(
      'invalid_input',
      `format ${format} is read only; ${writable.join(', ')} can be written`,
    )
  }
  const report = new LossReport()
  await write(await holdfast.sessions.open(sessionId), sink, report)
  return report
}
