/** Answers and failures as responses, with the headers that every response has. */
import type { HoldfastError } from '@holdfast/protocol'
import type { Answer } from '../answer.ts'
import type { Sending } from '../streams/sink.ts'
import { wantsMinimal } from './conditions.ts'
import { problemHeaders, problemOf } from './problem.ts'

/** What a browser may make of an answer: nothing but what asked for it. */
const guarded = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Sends a stream by another way than the response's body, and gives what stands for the response. */
export type SendStream = (
  stream: Sending,
  head: { status: number; headers: Record<string, string> },
) => Response

const asBody: SendStream = (stream, head) => new Response(stream.readable(), head)

/** What is known of a request beside its answer. */
export interface Asked {
  request: Request
  requestId: string
  /** Of the answer, whatever it will be. */
  headers: Record<string, string>
  sendStream?: SendStream | undefined
}

export function respond(
  answer: Answer,
  { request, requestId, headers: more, sendStream = asBody }: Asked,
): Response {
  const headers: Record<string, string> = {
    ...guarded,
    'x-request-id': requestId,
    ...more,
    ...answer.headers,
  }
  const { status, stream, bytes, body } = answer
  if (stream && request.method === 'HEAD') return headOf(stream, { status, headers })
  if (stream) return sendStream(stream, { status, headers })
  if (body !== undefined) return new Response(body, { status, headers })
  if (bytes) return new Response(bytes as Uint8Array<ArrayBuffer>, { status, headers })
  if (request.method !== 'GET' && wantsMinimal(request.headers)) {
    headers['preference-applied'] = 'return=minimal'
    return new Response(null, { status: status === 200 ? 204 : status, headers })
  }
  headers['content-type'] = 'application/json'
  return new Response(answer.text ?? JSON.stringify(answer.json), { status, headers })
}

/** Of a stream that does not begin. */
function headOf(stream: Sending, head: ResponseInit): Response {
  stream.leave()
  return new Response(null, head)
}

export function failed(error: HoldfastError, requestId: string, more: Record<string, string> = {}): Response {
  const { status } = error
  const headers = { ...guarded, 'x-request-id': requestId, ...problemHeaders(error), ...more }
  return new Response(JSON.stringify(problemOf(error, requestId)), { status, headers })
}
