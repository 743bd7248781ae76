/** Sessions as files: written in any format there is, and read back from Holdfast's own. */
import { HoldfastError, imported } from '@holdfast/protocol'
import { exportSession, formats, importLog } from '@holdfast/transcripts'
import { z } from 'zod'
import { found } from '../answer.ts'
import { word } from '../http/query.ts'
import { route } from '../route.ts'

const writable = formats.filter(({ write }) => write).map(({ name }) => name)

export const exchangeRoutes = [
  route({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/export',
    summary: "The session as JSONL: Holdfast's own, which loses nothing, or another program's",
    scope: 'read',
    reach: 'session',
    query: { format: word(z.enum(writable), 'default `holdfast`') },
    answer: 'lines',
    handle: async ({ holdfast, session, query: { format = 'holdfast' } }) => {
      await session.events({ limit: 1 })
      const body = streamOf((write) => exportSession(holdfast, session.id, format, { write }))
      return { status: 200, body, headers: { 'content-type': 'application/x-ndjson' } }
    },
  }),
  route({
    method: 'POST',
    path: '/v1/imports',
    summary: "Restore a session from Holdfast's own JSONL; again, only what is new",
    scope: 'admin',
    reach: 'tenant',
    once: 'answer',
    writes: 'session',
    body: 'lines',
    answer: imported,
    codes: ['id_taken'],
    handle: async ({ holdfast, body, request }) => {
      const done = await importLog(holdfast, body, { name: 'body', signal: request.signal })
      if (done) return found(done)
      throw new HoldfastError('invalid_input', 'body: expected the lines of an export.')
    },
  }),
]

/** Written as it is taken. A failure on the way breaks the transfer off, so that no half file looks whole. */
function streamOf(
  run: (write: (text: string) => Promise<void>) => Promise<unknown>,
): ReadableStream<Uint8Array> {
  const { readable, writable: sink } = new TransformStream<string, string>()
  const writer = sink.getWriter()
  const end = async (): Promise<void> => {
    try {
      await run((text) => writer.write(text))
      await writer.close()
    } catch (error) {
      await writer.abort(error)
    }
  }
  void end()
  return readable.pipeThrough(new TextEncoderStream() as never)
}
