import type { JsonObject } from '@holdfast/protocol'
import type { ExportedSession, Sink } from '../contract.ts'
import type { LossReport } from '../loss-report.ts'
import { eventPage } from '../messages-of.ts'
import { fileVersion } from './version.ts'

export async function writeHoldfast(session: ExportedSession, sink: Sink, report: LossReport): Promise<void> {
  for await (const line of logLines(session)) {
    await sink.write(`${line}\n`)
    if (!line.startsWith(eventStart)) continue
    if (line.includes('"type":"checkpoint.saved"')) report.drop('bodies of checkpoints')
    report.line('carried')
  }
}

const eventStart = '{"event":'

/** The lines of the file, with the events after a seq. A log that has those before it takes the rest from them. */
export async function* logLines(session: ExportedSession, from = 0): AsyncGenerator<string, void, void> {
  const { id: sessionId, tenantId } = await session.view()
  yield JSON.stringify({ holdfast: fileVersion, sessionId, tenantId })
  const files = new Set<string>()
  for (let after = from, more = true; more; ) {
    const page = await session.eventTexts({ after, ...eventPage })
    for (const { seq, text } of page.texts) {
      for (const hash of hashesIn(text)) {
        if (!files.has(hash)) yield* fileLine(hash, session)
        files.add(hash)
      }
      yield `${eventStart}${text}}`
      after = seq
    }
    more = page.more
  }
}

/** Whatever looks like the hash of a file: one that names none has no bytes. */
function hashesIn(text: string): string[] {
  return [...text.matchAll(/"hash":"([0-9a-f]{64})"/g)].map(([, hash]) => String(hash))
}

async function* fileLine(file: string, session: ExportedSession): AsyncGenerator<string, void, void> {
  const bytes = await session.getAttachment(file)
  if (!bytes) return
  const line: JsonObject = { file, base64: Buffer.from(bytes).toString('base64') }
  yield JSON.stringify(line)
}
