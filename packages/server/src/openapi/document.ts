/** The OpenAPI 3.1 document, made from the routes: what is not in a route is not said, and every route is in it. */
import {
  type ErrorCode,
  errorCatalogue,
  message,
  problem,
  session,
  sessionSummary,
  sessionTree,
} from '@holdfast/protocol'
import { z } from 'zod'
import type { Route } from '../route.ts'
import { codesOf, takesVersion } from './codes.ts'

type Schema = Record<string, unknown>

/** Shapes that are named once and referred to. */
const named = z.registry<{ id: string }>()
for (const [id, schema] of Object.entries({
  Session: session,
  SessionSummary: sessionSummary,
  Message: message,
  SessionTree: sessionTree,
  Problem: problem,
}))
  named.add(schema, { id })

/** The status of a stream is out before it fails. */
const failedLate = 'What fails after that is the last event of a stream: `error`, with a `Problem`.'

/** A file is held against its hash while it is sent, and a range of it with the whole. */
const brokenOff = 'What is not what its `ETag`, the SHA-256 of the bytes, says breaks off before its end.'

const anyBytes = { 'application/octet-stream': { schema: {} } }

/** One JSON text a line. */
const lines = { 'application/x-ndjson': { schema: { type: 'string' } } }

export function openapiDocument(routes: readonly Route[]): object {
  const schemas: Record<string, Schema> = {}
  const paths: Record<string, Record<string, Schema>> = {}
  for (const route of routes) {
    paths[route.path] ??= {}
    ;(paths[route.path] as Record<string, Schema>)[route.method.toLowerCase()] = operation(route, schemas)
  }
  convert(problem, 'output', schemas)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Holdfast',
      version: '1',
      description: 'Sessions of AI agents: each is one ordered, durable log and its fold.',
    },
    paths,
    components: {
      schemas,
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'A key, `hf_…`, or a share token.' },
      },
    },
  }
}

function operation(route: Route, schemas: Record<string, Schema>): Schema {
  return {
    operationId: operationId(route),
    summary: route.summary,
    security: route.reach === 'public' ? [] : [{ key: [route.scope] }],
    parameters: [...pathParameters(route), ...queryParameters(route, schemas), ...headerParameters(route)],
    ...(route.body && { requestBody: requestBody(route.body, schemas) }),
    responses: { [route.status]: success(route, schemas), ...ofFile(route), ...failures(route) },
  }
}

/** `getSessionsEvents`: the method and the words of the path. */
function operationId({ method, path }: Route): string {
  const words = path
    .split(/[/{}.-]+/)
    .filter((part) => part !== '' && part !== 'v1')
    .map((part) => (part[0] ?? '').toUpperCase() + part.slice(1))
  return method.toLowerCase() + words.join('')
}

function pathParameters({ path }: Route): Schema[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => {
    return { name, in: 'path', required: true, schema: { type: 'string' } }
  })
}

function queryParameters({ query }: Route, schemas: Record<string, Schema>): Schema[] {
  return Object.entries(query).map(([name, { schema, about }]) => {
    const converted = convert(schema, 'input', schemas)
    const list = converted.type === 'array' && { style: 'form', explode: false }
    return { name, in: 'query', description: about, schema: converted, ...list }
  })
}

function headerParameters(route: Route): Schema[] {
  const { method, streams, answer } = route
  const header = (name: string, description: string) => {
    return { name, in: 'header', description, schema: { type: 'string' } }
  }
  if (streams && method === 'GET')
    return [header('Last-Event-ID', 'where the reader stands; as `after`, and wins')]
  if (answer === 'file') {
    return [
      header(
        'Range',
        'one range of bytes: `bytes=0-99`, `bytes=100-` or `bytes=-100`; of several the whole is sent',
      ),
      header('If-Range', 'an `ETag`: the range is of the file that it stands for'),
      header('If-None-Match', '`ETag`s of what the caller has'),
    ]
  }
  if (method === 'GET') return []
  return [
    header('Idempotency-Key', 'the same request with it has one effect, for a day'),
    ...(takesVersion(route)
      ? [header('If-Match', 'refused as `version_conflict` unless the version is this `ETag`')]
      : []),
    header('Prefer', '`return=minimal`: no body in the answer'),
  ]
}

function requestBody(body: NonNullable<Route['body']>, schemas: Record<string, Schema>): Schema {
  if (body === 'file') return { required: true, content: anyBytes }
  if (body === 'lines') return { required: true, content: lines }
  const schema = convert(body.schema, 'input', schemas)
  return { required: !body.optional, content: { 'application/json': { schema } } }
}

function success({ answer, streams, summary }: Route, schemas: Record<string, Schema>): Schema {
  if (answer === 'nothing') return { description: summary }
  if (answer === 'file') return { description: `${summary}. ${brokenOff}`, content: anyBytes }
  if (answer === 'lines') return { description: summary, content: lines }
  if (typeof answer === 'string') {
    return {
      description: summary,
      content: { [`text/${answer === 'text' ? 'plain' : answer}`]: { schema: { type: 'string' } } },
    }
  }
  const schema = convert(answer, 'output', schemas)
  const live = streams && { 'text/event-stream': { schema: { type: 'string' } } }
  return {
    description: streams ? `${summary}. ${failedLate}` : summary,
    content: { 'application/json': { schema }, ...live },
  }
}

/** What else a file may be answered with. */
function ofFile({ answer }: Route): Record<string, Schema> {
  if (answer !== 'file') return {}
  return {
    206: { description: 'The range that was asked for, named by `Content-Range`', content: anyBytes },
    304: { description: 'The caller has it: no body' },
  }
}

/** By status: several codes share one. */
function failures(route: Route): Record<string, Schema> {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of codesOf(route)) {
    const { status } = errorCatalogue[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  const schema = { $ref: '#/components/schemas/Problem' }
  return Object.fromEntries(
    [...byStatus].map(([status, some]) => {
      const description = some.map((code) => `\`${code}\`: ${errorCatalogue[code].meaning}`).join(' ')
      return [String(status), { description, content: { 'application/problem+json': { schema } } }]
    }),
  )
}

/** Named shapes go to `schemas`, each once. What a caller gives and what is read may differ under one name. */
function convert(schema: z.ZodType, io: 'input' | 'output', schemas: Record<string, Schema>): Schema {
  const text = JSON.stringify(z.toJSONSchema(schema, { target: 'draft-2020-12', io, metadata: named }))
  const suffix = io === 'input' ? 'Input' : ''
  const linked = text.replaceAll(/"#\/\$defs\/(\w+)"/g, `"#/components/schemas/$1${suffix}"`)
  const {
    $schema: _,
    $defs = {},
    ...rest
  } = JSON.parse(linked) as { $defs?: Record<string, Schema> } & Schema
  for (const [name, definition] of Object.entries($defs)) schemas[`${name}${suffix}`] ??= definition
  const own = named.get(schema)?.id
  if (own === undefined) return rest
  const self = `#/components/schemas/${own}${suffix}`
  schemas[`${own}${suffix}`] ??= withoutId(
    JSON.parse(JSON.stringify(rest).replaceAll('"$ref":"#"', `"$ref":"${self}"`)) as Schema,
  )
  return { $ref: self }
}

function withoutId({ id: _, ...schema }: Schema): Schema {
  return schema
}
