/** Requests made from an OpenAPI document: of any route, mostly right, often wrong in one thing. */
import { Generator, type Schema, type Schemas } from './generator.ts'
import type { Random } from './random.ts'

interface Operation {
  parameters: readonly { name: string; in: string; schema: Schema }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
}

export interface Document {
  paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  components: { schemas: Schemas }
}

export interface Asked {
  method: string
  path: string
  headers: Record<string, string>
  body?: string
}

/** What an answer may say that is worth asking about. */
interface Learned {
  id?: string
  question?: { questionId: string }
}

/** Rarely asked: they go through the whole store, or leave nothing for the others. */
const rare = /scrub|prune|erase|DELETE/
const hostileIds = [
  'none',
  '..',
  '%00',
  '%',
  'a'.repeat(300),
  '%F0%9F%98%80',
  "' OR 1=1 --",
  'x'.repeat(9_000),
]

export class Requests {
  readonly #random: Random
  readonly #generator: Generator
  readonly #operations: { method: string; path: string; operation: Operation }[]
  /** Most sessions are this one's, which works in the server. */
  readonly #agentId: string
  /** Of sessions that were made. */
  readonly #ids: string[] = []
  /** What an agent asked last. */
  #question: { sessionId: string; questionId: string } | undefined

  constructor(random: Random, { paths, components }: Document, agentId: string) {
    this.#random = random
    this.#agentId = agentId
    this.#generator = new Generator(random, components.schemas)
    this.#operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation,
      })),
    )
  }

  /** An answer of success may name a session to ask about, or a question in one. */
  learn({ method, path }: Asked, text: string): void {
    const turnIn = /^\/v1\/sessions\/([^/]+)\/turns/.exec(path)?.[1]
    if (method !== 'POST' || !(path === '/v1/sessions' || turnIn !== undefined) || text.trim() === '') return
    const { id, question } = JSON.parse(text) as Learned
    if (turnIn === undefined) this.#ids.push(id ?? '')
    else if (question) this.#question = { sessionId: turnIn, questionId: question.questionId }
    if (this.#ids.length > 200) this.#ids.shift()
  }

  next(): Asked {
    const random = this.#random
    const chosen = random.pick(this.#operations)
    if (rare.test(`${chosen.method} ${chosen.path}`) && random.chance(0.95)) return this.next()
    const { method, path, operation } = chosen
    const headers: Record<string, string> = {}
    const ids: Record<string, string> = { ...(random.chance(0.5) && this.#question) }
    const names = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? this.#id(name))
    const query = new URLSearchParams()
    for (const parameter of operation.parameters) {
      if (parameter.in === 'path' || random.chance(0.7)) continue
      const value = this.#spoiled(this.#generator.value(parameter.schema))
      if (parameter.in === 'query') query.set(parameter.name, parameter.name === 'wait' ? '0' : textOf(value))
      else headers[parameter.name] = this.#header(parameter.name)
    }
    const asked: Asked = { method, path: `${names}${query.size > 0 ? `?${query}` : ''}`, headers }
    return operation.requestBody ? this.#withBody(asked, operation.requestBody.content) : asked
  }

  #withBody(asked: Asked, content: Record<string, { schema: Schema }>): Asked {
    const [type, { schema }] = Object.entries(content)[0] as [string, { schema: Schema }]
    const headers = { ...asked.headers, 'content-type': this.#random.chance(0.02) ? 'text/plain' : type }
    const body = type === 'application/json' ? JSON.stringify(this.#spoiled(this.#value(schema))) : 'bytes'
    if (this.#random.chance(0.03)) return { ...asked, headers, body: body.slice(0, -1) }
    return { ...asked, headers, body }
  }

  #value(schema: Schema): unknown {
    const value = this.#generator.value(schema)
    const isOfAgent = typeof value === 'object' && value !== null && 'agentId' in value
    return isOfAgent && this.#random.chance(0.7) ? { ...value, agentId: this.#agentId } : value
  }

  #spoiled(value: unknown): unknown {
    return this.#random.chance(0.35) ? this.#generator.broken(value) : value
  }

  #id(name: string): string {
    const random = this.#random
    if (random.chance(0.15)) return random.pick(hostileIds)
    if (name === 'sessionId' && this.#ids.length > 0) return random.pick(this.#ids)
    return `${name}${random.below(20)}`
  }

  #header(name: string): string {
    const random = this.#random
    if (name === 'Idempotency-Key') return random.pick([`k${random.below(100)}`, '', 'x'.repeat(2_000)])
    if (name === 'If-Match') return random.pick([`"${random.below(9)}"`, '*', 'W/"1"', '""'])
    return random.pick(['return=minimal', '0', '3', '-1', 'x', '9'.repeat(40)])
  }
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
