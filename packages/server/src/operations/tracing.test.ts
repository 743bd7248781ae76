import { SpanStatusCode } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterEach, expect, it } from 'vitest'
import { eachServer } from '../testing/each-server.ts'

const exporter = new InMemorySpanExporter()
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const tracer = provider.getTracer('test')
const trace = '0af7651916cd43dd8448eb211c80319c'
const parent = 'b7ad6b7169203331'
const message = { role: 'user', parts: [{ type: 'text', text: 'canary' }] }

afterEach(() => exporter.reset())

eachServer('tracing', { tracer }, (place) => {
  const spans = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name)

  it('has a span for each request, within the trace of its caller', async () => {
    const headers = { traceparent: `00-${trace}-${parent}-01` }
    const { id } = (await place.caller.post('/v1/sessions', { agentId: 'agent' }, headers)).json
    await place.caller.get(`/v1/sessions/${id}`)
    await place.caller.get('/nowhere')
    const [made] = spans('POST /v1/sessions')
    expect([made?.spanContext().traceId, made?.parentSpanContext?.spanId]).toEqual([trace, parent])
    expect(made?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/v1/sessions',
      'http.response.status_code': 201,
      'holdfast.tenant': 'default',
      'holdfast.request_id': expect.any(String),
    })
    const [read] = spans('GET /v1/sessions/{sessionId}')
    expect(read?.spanContext().traceId).not.toBe(trace)
    expect(read?.status.code).toBe(SpanStatusCode.UNSET)
    expect(spans('GET')[0]?.attributes).toMatchObject({ 'error.type': 'unknown_route' })
    expect(JSON.stringify(exporter.getFinishedSpans().map(({ attributes }) => attributes))).not.toContain(id)
  })

  it('does not take what is no trace', async () => {
    const broken = [
      `00-${'0'.repeat(32)}-${parent}-01`,
      `00-${trace}-${'0'.repeat(16)}-01`,
      `ff-${trace}-${parent}-01`,
      'x',
    ]
    for (const traceparent of broken) await place.caller.get('/healthz', { headers: { traceparent } })
    for (const span of spans('GET /healthz')) expect(span.parentSpanContext).toBeUndefined()
    expect(spans('GET /healthz')).toHaveLength(broken.length)
  })

  it('keeps the trace on the events that a request wrote', async () => {
    const headers = { traceparent: `00-${trace}-${parent}-01` }
    const { id } = (await place.caller.post('/v1/sessions', { agentId: 'agent' })).json
    await place.caller.post(`/v1/sessions/${id}/messages`, message, headers)
    const { data } = (await place.caller.get(`/v1/sessions/${id}/events`)).json
    const [made] = spans('POST /v1/sessions')
    expect(data.map(({ traceId }: { traceId: string }) => traceId)).toEqual([
      made?.spanContext().traceId,
      trace,
      trace,
    ])
    await place.caller.post(`/v1/sessions/${id}/erase`, { seqs: [3] })
    const erased = (await place.caller.get(`/v1/sessions/${id}/events?after=2`)).json.data[0]
    expect(erased).not.toHaveProperty('traceId')
  })

  it('has a span for each commit, which says how much it wrote', async () => {
    await place.caller.post('/v1/sessions', { agentId: 'agent' })
    const [commit] = spans('holdfast.commit')
    expect(commit?.attributes).toMatchObject({ 'holdfast.commits': 1, 'holdfast.events': 1 })
    expect(commit?.attributes['holdfast.bytes']).toBeGreaterThan(0)
    expect(commit?.parentSpanContext).toBeUndefined()
  })
})
