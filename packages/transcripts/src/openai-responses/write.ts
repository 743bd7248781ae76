/** Writes a session as the items that a response takes as its `input`, one JSON array. */
import type { ExportedSession, Sink } from '../contract.ts'
import type { LossReport } from '../loss-report.ts'
import { pairedMessages } from '../paired-calls.ts'
import { callIds, itemsOf } from './write-items.ts'

export async function writeResponses(
  session: ExportedSession,
  sink: Sink,
  report: LossReport,
): Promise<void> {
  await sink.write('[')
  let isFirst = true
  for await (const message of pairedMessages(session, callIds, report)) {
    const items = await itemsOf(message, session, report)
    report.line(items.length > 0 ? 'carried' : 'dropped')
    for (const item of items) {
      await sink.write(`${isFirst ? '\n' : ',\n'}${JSON.stringify(item)}`)
      isFirst = false
    }
  }
  await sink.write('\n]\n')
}
