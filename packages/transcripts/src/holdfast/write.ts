import type { JsonObject } from '@holdfast/protocol'
import type { ExportedSession, Sink } from '../contract.ts'
import type { LossReport } from '../loss-report.ts'
import { eventPage } from '../messages-of.ts'
import { fileVersion } from './version.ts'

export async function writeHoldfast(session: ExportedSession, sink: Sink, report: LossReport): Promise<void> {
  const { id: sessionId, tenantId } = await session.view()
  await sink.write(`${JSON.stringify({ holdfast: fileVersion, sessionId, tenantId })}\n`)
  const files = new Set<string>()
  for (let after = 0, more = true; more; ) {
    const page = await session.eventTexts({ after, ...eventPage })
    for (const { seq, text } of page.texts) {
      for (const hash of hashesIn(text)) {
        if (!files.has(hash)) await writeFile(hash, session, sink)
        files.add(hash)
      }
      if (text.includes('"type":"checkpoint.saved"')) report.drop('bodies of checkpoints')
      await sink.write(`{"event":${text}}\n`)
      report.line('carried')
      after = seq
    }
    more = page.more
  }
}

/** Whatever looks like the hash of a file: one that names none has no bytes. */
function hashesIn(text: string): string[] {
  return [...text.matchAll(/"hash":"([0-9a-f]{64})"/g)].map(([, hash]) => String(hash))
}

async function writeFile(file: string, session: ExportedSession, sink: Sink): Promise<void> {
  const bytes = await session.getAttachment(file)
  if (!bytes) return
  const line: JsonObject = { file, base64: Buffer.from(bytes).toString('base64') }
  await sink.write(`${JSON.stringify(line)}\n`)
}
