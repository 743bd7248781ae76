import type {
  AuditEntry,
  Erased,
  ImportedSession,
  KeyInfo,
  Page,
  PrunedSessions,
  RatedGroup,
  Scope,
  SearchHits,
  SessionListItem,
  TenantInfo,
  UsageGroup,
} from '@holdfast/protocol'
import { having } from './answer.ts'
import { sleep } from './back-off.ts'
import { type Changed, type FleetOptions, followFleet } from './follow-fleet.ts'
import { type CallOptions, type ChangeOptions, type ClientOptions, Http } from './http.ts'
import { everyItem } from './pages.ts'
import { RecordsClient } from './records.ts'
import { type ErasureOptions, type PageOptions, type SessionFilters, SessionsClient } from './sessions.ts'

export interface NewKey {
  name: string
  scopes?: readonly Scope[]
  userId?: string
  sessionIds?: readonly string[]
  expiresAt?: string
  /** Requests a minute. */
  perMin?: number
}

/** Columns of the ledger. A model is the pair of `providerId` and `model`. */
export type UsageColumn =
  | 'sessionId'
  | 'rootSessionId'
  | 'ownerUserId'
  | 'agentId'
  | 'providerId'
  | 'model'
  | 'purpose'

export interface RollUpQuery extends PageOptions, Partial<Record<UsageColumn, string>> {
  /** Columns to group by; absent: one group. */
  by?: readonly (UsageColumn | 'day')[]
  /** Not earlier: a date, or an ISO time of whole seconds. */
  from?: string
  /** Earlier: the same. */
  until?: string
}

export interface PruneQuery {
  olderThanMs?: number
  keepNewest?: number
  filter?: SessionFilters
  dryRun?: boolean
  limit?: number
  after?: string
  scrub?: boolean
}

/** A server, as the caller with this key sees it. Failures are `HoldfastError`s with the server's own codes. */
export class HoldfastClient {
  readonly sessions: SessionsClient
  readonly agents: RecordsClient<'agent'>
  readonly personas: RecordsClient<'persona'>
  readonly seeds: RecordsClient<'seed'>
  readonly conversations: RecordsClient<'conversation'>
  readonly participants: RecordsClient<'participant'>
  readonly priceBooks: RecordsClient<'price_book'>
  readonly #http: Http

  constructor(options: ClientOptions) {
    const newKey = () => crypto.randomUUID()
    this.#http = new Http({ sleep, random: Math.random, newKey, ...options })
    this.sessions = new SessionsClient(this.#http)
    this.agents = new RecordsClient(this.#http, 'agent')
    this.personas = new RecordsClient(this.#http, 'persona')
    this.seeds = new RecordsClient(this.#http, 'seed')
    this.conversations = new RecordsClient(this.#http, 'conversation')
    this.participants = new RecordsClient(this.#http, 'participant')
    this.priceBooks = new RecordsClient(this.#http, 'price_book')
  }

  /** Events that hold all of the words, best first. */
  search(words: string, { signal, ...page }: PageOptions & { sessionId?: string } = {}): Promise<SearchHits> {
    return this.#http.getPage('/v1/search', { q: words, ...page }, signal && { signal })
  }

  /** Sessions with an open question, longest waiting first. */
  questions({ signal, ...page }: PageOptions = {}): Promise<Page<SessionListItem>> {
    return this.#http.getPage('/v1/questions', page, signal && { signal })
  }

  /** What was spent, added up by any columns. */
  rollUp({ signal, ...query }: RollUpQuery = {}): Promise<Page<UsageGroup>> {
    return this.#http.getPage('/v1/usage', query, signal && { signal })
  }

  /** The same with what it would have cost under another price book. */
  rerate(priceBookId: string, { signal, ...query }: RollUpQuery = {}): Promise<Page<RatedGroup>> {
    const path = `/v1/usage/rerated/${encodeURIComponent(priceBookId)}`
    return this.#http.getPage(path, query, signal && { signal })
  }

  /** Which price book new usage is rated by; null: none. */
  currentPriceBook(options?: CallOptions): Promise<{ priceBookId: string | null }> {
    return this.#http.get('/v1/current-price-book', undefined, options, having('priceBookId'))
  }

  setCurrentPriceBook(priceBookId: string, options?: ChangeOptions): Promise<{ priceBookId: string }> {
    return this.#http.change('PUT', '/v1/current-price-book', { body: { priceBookId } }, options)
  }

  /** Sessions as they change, from `after` or from now on, through drops and restarts: each as it is then. */
  followFleet({ after, signal, ...filters }: FleetOptions = {}): AsyncGenerator<Changed, void, void> {
    return followFleet(this.#http, filters, {
      ...(after !== undefined && { after }),
      ...(signal && { signal }),
    })
  }

  /** Deletes by age and number, a bounded stretch in each call: again with `next` as `after`. */
  prune(what: PruneQuery, options?: ChangeOptions): Promise<PrunedSessions> {
    return this.#http.change('POST', '/v1/prune', { body: what }, options, having('sessionIds', 'next'))
  }

  /** Forgets a person in every session of the tenant. */
  eraseUser(userId: string, { reason, scrub, ...options }: ErasureOptions = {}): Promise<Erased> {
    const body = { ...(reason !== undefined && { reason }) }
    const path = `/v1/users/${encodeURIComponent(userId)}/erase`
    return this.#http.change('POST', path, { body, query: { scrub } }, options)
  }

  /** Makes what was deleted and erased before final. */
  scrub(options?: ChangeOptions): Promise<{ finalAt: string }> {
    return this.#http.change('POST', '/v1/scrub', {}, options)
  }

  /** For operators: tenants that have an entry. */
  tenants({ signal, ...page }: PageOptions = {}): Promise<Page<TenantInfo>> {
    return this.#http.getPage('/v1/tenants', page, signal && { signal })
  }

  putTenant(
    tenantId: string,
    tenant: { name?: string; quotas?: TenantInfo['quotas'] },
    options?: ChangeOptions,
  ): Promise<TenantInfo> {
    return this.#http.change('PUT', `/v1/tenants/${encodeURIComponent(tenantId)}`, { body: tenant }, options)
  }

  createTenantKey(
    tenantId: string,
    asked: NewKey,
    options?: ChangeOptions,
  ): Promise<KeyInfo & { key: string }> {
    const path = `/v1/tenants/${encodeURIComponent(tenantId)}/keys`
    return this.#http.change('POST', path, { body: asked }, options)
  }

  /** `key` is shown this once. */
  createKey(asked: NewKey, options?: ChangeOptions): Promise<KeyInfo & { key: string }> {
    return this.#http.change('POST', '/v1/keys', { body: asked }, options)
  }

  keys({ signal, ...page }: PageOptions = {}): Promise<Page<KeyInfo>> {
    return this.#http.getPage('/v1/keys', page, signal && { signal })
  }

  allKeys(options?: PageOptions): AsyncGenerator<KeyInfo, void, void> {
    return everyItem((after) => this.keys({ ...options, ...(after !== undefined && { after }) }))
  }

  revokeKey(keyId: string, options?: ChangeOptions): Promise<KeyInfo> {
    return this.#http.change('DELETE', `/v1/keys/${encodeURIComponent(keyId)}`, {}, options)
  }

  /** Restores a session from the lines of an export; again, only what is new. */
  importSession(lines: string | Uint8Array, options?: ChangeOptions): Promise<ImportedSession> {
    const bytes = typeof lines === 'string' ? new TextEncoder().encode(lines) : lines
    return this.#http.change(
      'POST',
      '/v1/imports',
      { file: { bytes, mediaType: 'application/x-ndjson' } },
      options,
    )
  }

  /** What was done in the tenant by administration, oldest first. */
  audit({ signal, ...page }: PageOptions = {}): Promise<Page<AuditEntry>> {
    return this.#http.getPage('/v1/audit', page, signal && { signal })
  }

  /** Throws `server_draining` or the store's failure when the server takes no requests. */
  ready(options?: CallOptions): Promise<{ status: 'ready'; engine: string; durable: boolean }> {
    return this.#http.get('/readyz', undefined, options)
  }

  /** Figures of the server in Prometheus' text format. */
  metrics(options?: CallOptions): Promise<string> {
    return this.#http.getText('/metrics', undefined, options)
  }

  /** The server's OpenAPI document. */
  openapi(options?: CallOptions): Promise<{ openapi: string } & Record<string, unknown>> {
    return this.#http.get('/v1/openapi.json', undefined, options)
  }

  /** The same as a page for people, in HTML. */
  reference(options?: CallOptions): Promise<string> {
    return this.#http.getText('/v1/reference', undefined, options)
  }

  health(options?: CallOptions): Promise<{ status: 'ok' }> {
    return this.#http.get('/healthz', undefined, options)
  }
}

export function createClient(options: ClientOptions): HoldfastClient {
  return new HoldfastClient(options)
}
