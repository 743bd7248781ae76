/**
 * Spans of requests and of commits, by the API of OpenTelemetry alone: they go where the host's own SDK sends them, and nowhere
 * where there is none. A caller's `traceparent` is the parent of its request.
 */

import type { CommittedBatch } from '@holdfast/core'
import { traceIdPattern } from '@holdfast/protocol'
import {
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { Answered } from './answered.ts'

const traceparent = /^(?!ff)[\da-f]{2}-([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-|$)/

export class Tracing {
  readonly #tracer: Tracer
  readonly #clock: () => number

  constructor(clock: () => number, tracer: Tracer = trace.getTracer('@holdfast/server')) {
    this.#clock = clock
    this.#tracer = tracer
  }

  begin({ method, headers }: Request, path: string | undefined): Span {
    const name = path === undefined ? method : `${method} ${path}`
    const options = { kind: SpanKind.SERVER, startTime: this.#clock() }
    return this.#tracer.startSpan(name, options, parentOf(headers.get('traceparent')))
  }

  end(span: Span, { method, path, status, requestId, tenantId, error }: Answered): void {
    span.setAttributes({
      'http.request.method': method,
      'http.route': path,
      'http.response.status_code': status,
      'holdfast.request_id': requestId,
      ...(tenantId !== undefined && { 'holdfast.tenant': tenantId }),
      ...(error && { 'error.type': error.code }),
    })
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR, message: error?.code ?? '' })
    span.end(this.#clock())
  }

  /** One for a batch: it serves many requests, so it is a trace of its own. */
  committed({ tookMs, bytes, commits }: CommittedBatch): void {
    const endMs = this.#clock()
    const attributes = {
      'holdfast.commits': commits.length,
      'holdfast.events': commits.reduce((sum, { events }) => sum + events, 0),
      'holdfast.bytes': bytes,
    }
    const options = { attributes, root: true, startTime: endMs - tookMs }
    this.#tracer.startSpan('holdfast.commit', options).end(endMs)
  }
}

/** The trace that a span is in, whether or not it is recorded; undefined when it is in none. */
export function traceIdOf(span: Span): string | undefined {
  const { traceId } = span.spanContext()
  return traceIdPattern.test(traceId) ? traceId : undefined
}

function parentOf(header: string | null): Context {
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.exec(header ?? '') ?? []
  if (!traceIdPattern.test(traceId)) return context.active()
  const traceFlags = Number.parseInt(flags, 16)
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
}
