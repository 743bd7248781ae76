/** The server as a web-standard fetch handler. It only wires: routes say what is done, the guard who may. */
import type { CommittedBatch, Holdfast, UnseenSession } from '@holdfast/core'
import { HoldfastError, isHoldfastError, parseInput } from '@holdfast/protocol'
import type { Span, Tracer } from '@opentelemetry/api'
import { type Context, Hono } from 'hono'
import { byBearer } from './access/bearer.ts'
import { type Authenticate, type Credential, serverTenant, theOnlyCaller } from './access/credential.ts'
import { DayQuotas } from './access/day-quotas.ts'
import { guard } from './access/guard.ts'
import { Keys } from './access/keys.ts'
import { RateLimited, RateLimits } from './access/rate-limits.ts'
import { Tenants } from './access/tenants.ts'
import type { AgentHost } from './agents.ts'
import type { Answer } from './answer.ts'
import { fileBytes, readFile, readJson, requirePlain } from './http/body.ts'
import { writeOptions } from './http/conditions.ts'
import { Cors } from './http/cors.ts'
import { failureOf } from './http/gone.ts'
import { HashedLines } from './http/lines.ts'
import { typed } from './http/problem.ts'
import { type Given, type Params, readQuery } from './http/query.ts'
import { requestIds } from './http/request-id.ts'
import { failed, respond, type SendStream } from './http/respond.ts'
import { Room } from './http/room.ts'
import { checkServerLimit, serverLimits } from './limits.ts'
import { takesVersion } from './openapi/codes.ts'
import { openapiDocument } from './openapi/document.ts'
import { referencePage } from './openapi/reference.ts'
import type { Answered } from './operations/answered.ts'
import { Audit, isAudited } from './operations/audit.ts'
import { KeptAnswers, type KeyUse } from './operations/kept-answers.ts'
import { Metrics } from './operations/metrics.ts'
import { Refusals } from './operations/refusals.ts'
import { Tracing, traceIdOf } from './operations/tracing.ts'
import type { Call, Route } from './route.ts'
import { routes } from './routes/index.ts'
import type { Service } from './service.ts'
import { Fleet } from './streams/fleet.ts'
import { Followers } from './streams/followers.ts'
import { Frames } from './streams/frames.ts'

export const defaultStallMs = 60_000

export interface ServerOptions {
  /** The store; callers without keys have its tenant. */
  holdfast: Holdfast
  /** Secret of the server, at least 32 bytes: with it callers need keys. Without: one tenant, and everyone is let in. */
  pepper?: string
  /** Another way to know callers than keys. */
  authenticate?: Authenticate
  /** Hosts that a request may name, such as `localhost`; absent: any. A page elsewhere cannot pass for one of them. */
  hosts?: readonly string[]
  /** Silence after which a stream is kept alive. */
  heartbeatMs?: number
  /** A stream whose reader took nothing for so long is ended, and told where it stood; default 60,000. */
  stallMs?: number
  /** How long a file that comes waits for room, before a byte of it is read; default 30,000. */
  fileWaitMs?: number
  /** Milliseconds. */
  clock?: () => number
  /** Told of every answer, once it begins, and again with the error that one broke off for: what a log is made from. */
  onAnswer?: (answered: Answered) => void
  /** Where spans go; default the one that the host registered with `@opentelemetry/api`, if any. */
  tracer?: Tracer
  /** Who answers in sessions; absent: workers elsewhere do. */
  agents?: AgentHost
  /** Pages elsewhere that may call from a browser, such as `https://app.example`; default none. */
  origins?: readonly string[]
}

export interface HoldfastServer {
  fetch(request: Request): Response | Promise<Response>
  /** The same for a listener that sends streams itself, which costs less than a body that is pulled. */
  respond(request: Request, sendStream: SendStream): Response | Promise<Response>
  readonly routes: readonly Route[]
  /** Present where callers need keys. */
  readonly keys: Keys | undefined
  /** Those it was given. */
  readonly agents: AgentHost | undefined
  /** Streams that are open now. */
  readonly followers: number
  /** Ends streams and waiting pages: their readers are told to come back. Requests are still answered. */
  drain(): void
  /** The same, and lets go of the store, which whoever opened it closes once this resolved. Idempotent. */
  close(): Promise<void>
}

export function createServer(options: ServerOptions): HoldfastServer {
  const server = new Server(options)
  const app = new Hono<Mounted>()
  for (const path of new Set(routes.map(({ path }) => path))) server.mount(app, path)
  app.notFound((c) =>
    server.refuse(c, new HoldfastError('unknown_route', 'see /v1/openapi.json for what there is.')),
  )
  app.onError((error, c) => server.refuse(c, error))
  return {
    fetch: (request) => server.preflight(request) ?? app.fetch(request),
    respond: (request, sendStream) => server.preflight(request) ?? app.fetch(request, { sendStream }),
    routes,
    keys: server.keys,
    agents: server.agents,
    get followers() {
      return server.followers.size
    },
    drain: () => server.drain(),
    close: () => server.close(),
  }
}

/** What a listener may pass beside the request. */
interface Mounted {
  Bindings: { sendStream?: SendStream }
}

/** A request under way, and what was found out about it so far. */
interface Exchange {
  readonly request: Request
  readonly requestId: string
  readonly startMs: number
  /** Of its answer, whatever that will be. */
  readonly headers: Record<string, string>
  readonly span: Span
  readonly route?: Route
  credential?: Credential
  /** The caller was not let in, or not to this. */
  isDenied?: true
  answered?: Answered
}

interface Routed extends Exchange {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

class Server implements Service {
  readonly holdfast: Holdfast
  readonly followers: Followers
  readonly fleet: Fleet
  readonly frames = new Frames()
  readonly keys: Keys | undefined
  readonly tenants: Tenants
  readonly audit: Audit
  readonly agents: AgentHost | undefined
  readonly clock: () => number
  readonly #stop = new AbortController()
  readonly #authenticate: Authenticate
  readonly #nobody: Credential
  readonly #hosts: ReadonlySet<string> | undefined
  readonly #nextId = requestIds()
  readonly #onAnswer: ((answered: Answered) => void) | undefined
  readonly #cors: Cors
  /** Nothing but a key, which no browser sends by itself, says who calls. */
  readonly #isKeyed: boolean
  readonly #days: DayQuotas
  readonly #limits: RateLimits
  readonly #metrics: Metrics
  readonly #refusals: Refusals
  readonly #tracing: Tracing
  readonly #kept: KeptAnswers
  readonly #room: Room
  /** The ways to stop. */
  readonly #listening: readonly (() => void)[]
  readonly #tenants = new WeakMap<Credential, Holdfast>()
  #document: string | undefined
  #reference: string | undefined

  constructor({
    holdfast,
    pepper,
    authenticate,
    hosts,
    heartbeatMs = 15_000,
    stallMs = defaultStallMs,
    fileWaitMs = 30_000,
    clock = Date.now,
    onAnswer,
    origins = [],
    tracer,
    agents,
  }: ServerOptions) {
    this.holdfast = holdfast
    this.followers = new Followers({ heartbeatMs, stallMs, clock })
    this.fleet = new Fleet(clock)
    this.clock = clock
    this.keys = pepper === undefined ? undefined : new Keys({ holdfast, pepper, clock })
    this.#nobody = { tenantId: holdfast.tenantId, scopes: new Set(), actor: { kind: 'host' } }
    const only = theOnlyCaller(holdfast.tenantId)
    this.#authenticate = authenticate ?? (this.keys ? byBearer(this.keys) : () => only)
    this.#hosts = hosts && new Set(hosts)
    this.#onAnswer = onAnswer
    this.tenants = new Tenants(holdfast)
    this.audit = new Audit(holdfast, clock)
    this.agents = agents
    this.#cors = new Cors(origins)
    this.#isKeyed = this.keys !== undefined && authenticate === undefined
    this.#days = new DayQuotas(holdfast.forTenant(serverTenant).quotaUses, clock)
    this.#limits = new RateLimits(clock, this.#days)
    this.#metrics = new Metrics(clock)
    this.#refusals = new Refusals(clock)
    this.#tracing = new Tracing(clock, tracer)
    this.#listening = [
      holdfast.onCommit((batch) => this.#committed(batch)),
      holdfast.onSync((tookMs) => this.#metrics.synced(tookMs)),
    ]
    this.#kept = new KeptAnswers(holdfast, clock, pepper)
    this.#room = new Room(serverLimits.fileBytesHeld, fileWaitMs)
  }

  get stopping(): AbortSignal {
    return this.#stop.signal
  }

  document(): string {
    this.#document ??= JSON.stringify(openapiDocument(routes))
    return this.#document
  }

  metrics(): string {
    return this.#metrics.text({
      streams: this.followers.size,
      lagMs: this.followers.lagMs,
      isDraining: this.stopping.aborted,
      tenantsOver: [...this.#days.over()].length,
    })
  }

  #committed(batch: CommittedBatch): void {
    this.#days.charge(batch)
    this.#metrics.committed(batch)
    this.#tracing.committed(batch)
  }

  reference(): string {
    this.#reference ??= referencePage(routes)
    return this.#reference
  }

  preflight(request: Request): Response | undefined {
    return this.#cors.preflight(request)
  }

  drain(): void {
    this.#stop.abort()
    this.followers.drain()
  }

  close(): Promise<void> {
    this.drain()
    for (const stop of this.#listening) stop()
    return this.#days.close()
  }

  mount(app: Hono<Mounted>, path: string): void {
    const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1')
    const methods = routes.filter((route) => route.path === path)
    for (const route of methods) app.on(route.method, pattern, (c) => this.#answer(c, route))
    const allow = methods.map(({ method }) => method).join(', ')
    app.all(pattern, (c) => {
      const error = new HoldfastError('method_not_allowed', `the path takes ${allow}.`)
      return this.refuse(c, error, { allow })
    })
  }

  /** What no route answers. */
  refuse(c: Context, thrown: unknown, headers: Record<string, string> = {}): Response {
    const exchange = this.#exchange(c.req.raw)
    return this.#refused(exchange, typed(thrown), headers)
  }

  async #answer(c: Context<Mounted>, route: Route): Promise<Response> {
    const exchange = { ...this.#exchange(c.req.raw, route), route, params: c.req.param() }
    try {
      const answer = await this.#handle(exchange)
      await this.#audited(exchange)
      const { request, requestId, headers } = exchange
      const response = respond(answer, { request, requestId, headers, sendStream: c.env?.sendStream })
      this.#tell(exchange, response.status)
      return response
    } catch (thrown) {
      return this.#refused(exchange, await this.#toldOf(exchange, failureOf(thrown, exchange.request)))
    }
  }

  #exchange(request: Request, route?: Route): Exchange {
    const requestId = this.#nextId(request)
    const span = this.#tracing.begin(request, route?.path)
    return { request, requestId, startMs: this.clock(), headers: this.#cors.headersFor(request), span }
  }

  async #handle(exchange: Routed): Promise<Answer> {
    const { request, requestId, route, params } = exchange
    checkServerLimit('urlBytes', request.url.length, 'url')
    this.#requireHost(request)
    if (!this.#isKeyed) this.#cors.requireOwnPage(request)
    const credential = route.reach === 'public' ? this.#nobody : await this.#letIn(exchange)
    exchange.credential = credential
    if (route.writes) await this.#days.read(credential.tenantId, credential.quotas)
    Object.assign(exchange.headers, this.#limits.take(credential, route))
    const holdfast = this.#tenantOf(credential)
    const traceId = traceIdOf(exchange.span)
    const write = {
      ...writeOptions(request.headers, route.method === 'GET' || takesVersion(route)),
      ...(traceId !== undefined && { traceId }),
    }
    const use = keyUse(route, credential, write.key)
    const known = use && (await this.#kept.known(use))
    if (route.reach !== 'public' && !known) await this.#guard(exchange, credential, holdfast)
    const call: Omit<Call, 'body'> = {
      request,
      requestId,
      params,
      credential,
      holdfast,
      service: this,
      query: queryOf(route.query, request.url),
      session: params.sessionId === undefined ? (undefined as never) : sessionOf(holdfast, params.sessionId),
      write,
      mayBeDone: false,
      broken: (error) => this.#broken(exchange, error),
    }
    return this.#withBody(exchange, async (body) => {
      const asked = { method: route.method, url: request.url, body }
      try {
        if (use && known) return await this.#kept.replay(use, known, asked)
        if (!use) return await route.handle({ ...call, body })
        return await this.#kept.once(use, asked, async (mayBeDone) =>
          route.handle({ ...call, body, mayBeDone }),
        )
      } catch (thrown) {
        await this.#audited(exchange, failureOf(thrown, request))
        throw thrown
      }
    })
  }

  /** A file is whole from here to where it was written, and so are all that come at once: there is room for so many. */
  async #withBody({ route, request }: Routed, handle: (body: unknown) => Promise<Answer>): Promise<Answer> {
    if (route.body !== 'file') return handle(await bodyOf(route, request))
    const most = fileBytes(request)
    const giveBack = await this.#room.take(most, request.signal)
    try {
      return await handle(await readFile(request, most))
    } finally {
      giveBack()
    }
  }

  #letIn(exchange: Routed): Promise<Credential> {
    return denying(exchange, async () => this.#authenticate(exchange.request))
  }

  #guard(exchange: Routed, credential: Credential, holdfast: Holdfast): Promise<void> {
    const { route, params } = exchange
    return denying(exchange, () => guard(route, credential, holdfast, params, this.holdfast.tenantId))
  }

  /** The error, once it was told of where it denies access. Who is not known is told of in the server's first tenant. */
  async #toldOf(exchange: Routed, error: HoldfastError): Promise<HoldfastError> {
    if (!exchange.isDenied) return error
    const { route, params, requestId, credential = this.#nobody } = exchange
    const untold = this.#refusals.take(credential.tenantId)
    if (untold === undefined) return error
    try {
      await this.audit.add({ route, params, requestId, credential, code: error.code, untold })
      return error
    } catch (thrown) {
      return typed(thrown)
    }
  }

  /** Before the answer goes out: what was done and is not told of is not done well. */
  async #audited({ route, params, requestId, credential }: Routed, error?: HoldfastError): Promise<void> {
    if (!credential || !isAudited(route)) return
    await this.audit.add({ route, params, requestId, credential, ...(error && { code: error.code }) })
  }

  #refused(exchange: Exchange, error: HoldfastError, more: Record<string, string> = {}): Response {
    this.#tell(exchange, error.status, error)
    const limited = error instanceof RateLimited ? error.headers : {}
    return failed(error, exchange.requestId, { ...exchange.headers, ...limited, ...more })
  }

  #tell(exchange: Exchange, status: number, error?: HoldfastError): void {
    const { request, requestId, startMs, route, credential, span } = exchange
    const traceId = traceIdOf(span)
    const { tenantId, keyId } = credential ?? {}
    const answered: Answered = {
      method: request.method,
      path: route?.path ?? 'none',
      status,
      tookMs: this.clock() - startMs,
      requestId,
      ...(traceId !== undefined && { traceId }),
      ...(tenantId !== undefined && { tenantId }),
      ...(keyId !== undefined && { keyId }),
      ...(error && { error }),
    }
    this.#metrics.count(answered)
    this.#tracing.end(span, answered)
    this.#onAnswer?.(answered)
    exchange.answered = answered
  }

  #broken({ answered }: Exchange, error: unknown): void {
    if (answered) this.#onAnswer?.({ ...answered, error: typed(error) })
  }

  /** A page that a browser was lured to under another name must not reach a server that asks for no key. */
  #requireHost(request: Request): void {
    if (!this.#hosts) return
    const { hostname } = new URL(request.url)
    if (!this.#hosts.has(hostname))
      throw new HoldfastError('forbidden', 'this server is not reached by that name.')
  }

  #tenantOf(credential: Credential): Holdfast {
    const known = this.#tenants.get(credential)
    if (known) return known
    const holdfast = this.holdfast.forTenant(credential.tenantId, { actor: credential.actor })
    this.#tenants.set(credential, holdfast)
    return holdfast
  }
}

async function denying<T>(exchange: Exchange, look: () => Promise<T>): Promise<T> {
  try {
    return await look()
  } catch (error) {
    if (isHoldfastError(error) && error.status < 500) exchange.isDenied = true
    throw error
  }
}

/** Undefined where the server need not keep the answer. */
function keyUse({ once }: Route, credential: Credential, key: string | undefined): KeyUse | undefined {
  return once === 'answer' && key !== undefined ? { credential, key } : undefined
}

function sessionOf(holdfast: Holdfast, sessionId: string): UnseenSession {
  return holdfast.sessions.at(sessionId)
}

function queryOf(params: Params, url: string): Given<Params> {
  const at = url.indexOf('?')
  return at < 0 ? {} : readQuery(params, new URLSearchParams(url.slice(at + 1)))
}

/** What the log checks itself is only scanned here. */
async function bodyOf({ body }: Route, request: Request): Promise<unknown> {
  if (body === undefined || body === 'file') return undefined
  if (body === 'lines') {
    requirePlain(request.headers)
    return new HashedLines(request)
  }
  const value = await readJson(request)
  if (value === undefined && body.optional) return undefined
  if (body.by === 'log') return requireObject(value)
  return parseInput(body.schema, value, 'body')
}

function requireObject(value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new HoldfastError('invalid_input', 'body: expected a JSON object.')
}
