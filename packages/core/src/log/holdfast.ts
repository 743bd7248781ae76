/** Where the parts of an open Holdfast meet: it only wires them. */
import {
  type Actor,
  DEFAULT_TENANT,
  HoldfastError,
  type Ids,
  limits,
  type RecordKind,
  type TenantId,
  tenantId,
  toTime,
  uuidv7Ids,
} from '@holdfast/protocol'
import type { PriceList } from '../ledger/price-list.ts'
import { elapsed, systemClock } from '../store/clock.ts'
import type { Store, StoreFactory, StoreInfo } from '../store/store.ts'
import { commitIds } from './commit-ids.ts'
import type { CommitListener } from './committed-batch.ts'
import { Committer } from './committer.ts'
import { DecodedHeads } from './decoded-heads.ts'
import { type DoctorOptions, doctor } from './doctor/doctor.ts'
import type { Finding } from './doctor/findings.ts'
import { type Repaired, type RepairOptions, repair } from './doctor/repair.ts'
import type { EraseOptions } from './erase.ts'
import { eraseUser } from './erase-user.ts'
import { KnownTexts } from './known-texts.ts'
import { PriceBooks } from './price-books.ts'
import { type Pruned, type PruneOptions, pruneSessions } from './prune.ts'
import { systemRandom } from './random.ts'
import type { ErasureReceipt } from './receipt.ts'
import { Records } from './records.ts'
import { RestingActors } from './resting-actors.ts'
import { type SearchOptions, type SearchPage, searchSessions } from './search.ts'
import { Sessions } from './sessions.ts'
import { type SweepOptions, type Swept, sweepKeys, sweepTenant } from './sweep.ts'
import { TailMemory } from './tail-memory.ts'
import { type Engine, TenantLog } from './tenant-log.ts'
import { type Upcasters, upcasters } from './upcast.ts'
import { Usage } from './usage.ts'
import { WireTimes } from './wire-times.ts'

export interface OpenOptions {
  /** Where sessions are kept: `sqlite(path)`, `memory()`, or a store that is open already (and stays open). */
  store: StoreFactory | Store
  /** Milliseconds. Judges leases, keys and expiry, unless the store has a clock of its own. */
  clock?: () => number
  ids?: Ids
  /** In [0, 1). */
  random?: () => number
  /** Whose sessions this handle sees; default `default`. */
  tenantId?: string
  /** Who writes when a write does not say; default the host. */
  actor?: Actor
  /** How long idempotency keys are kept. */
  keyTtlMs?: number
  /** Sessions whose head stays in memory after a write. */
  idleSessions?: number
  upcasters?: Upcasters
  /** Prices for usage of tenants that named no price book of their own. Asked for once, when the first is needed. */
  prices?: () => Promise<PriceList>
}

/** One tenant's side of an open store. */
export interface Holdfast {
  readonly tenantId: TenantId
  readonly sessions: Sessions
  readonly agents: Records<'agent'>
  readonly personas: Records<'persona'>
  readonly seeds: Records<'seed'>
  readonly conversations: Records<'conversation'>
  readonly participants: Records<'participant'>
  /** Files that transcripts were imported from. */
  readonly importSources: Records<'import_source'>
  readonly priceBooks: PriceBooks
  /** Keys that a server lets callers in by; it keeps those of all tenants under a tenant of its own. */
  readonly apiKeys: Records<'api_key'>
  /** Tenants that a server knows, and what was done to them: of the server's own tenant too. */
  readonly tenants: Records<'tenant'>
  readonly auditEntries: Records<'audit_entry'>
  /** What tenants of a server used of their quotas of a day; it keeps those of all tenants under a tenant of its own. */
  readonly quotaUses: Records<'quota_use'>
  /** What a server answered under idempotency keys that no log knows. */
  readonly keptAnswers: Records<'kept_answer'>
  readonly usage: Usage
  search(query: string, options?: SearchOptions): Promise<SearchPage>
  /** Does what the clock made due. `everyTenant`: not only for this one. */
  sweep(options?: SweepOptions & { everyTenant?: boolean }): Promise<Swept>
  /** Deletes by age and number, a bounded stretch in each call. A scheduled task may call it; so may several at once. */
  prune(options: PruneOptions): Promise<Pruned>
  /** Forgets a person in every session of the tenant. */
  eraseUser(userId: string, options?: Partial<EraseOptions> & { scrub?: boolean }): Promise<ErasureReceipt>
  /** Makes what was deleted and erased before final, for every tenant of the store. It costs the size of the store. */
  scrub(): Promise<{ finalAt: string }>
  /**
   * Looks for damage, and gives each finding as it is made: in one session, else in all of this tenant, else (`everyTenant`)
   * in the store. Only reads; throws `not_found` for a session that is not there.
   */
  doctor(options?: DoctorOptions): AsyncGenerator<Finding, void, void>
  /**
   * Puts right what can be: a session by its id, or what `doctor` found. Logs are only appended to, and what is derived
   * from them is folded anew. Doing it twice changes nothing.
   */
  repair(
    target: string | Iterable<Finding> | AsyncIterable<Finding>,
    options?: RepairOptions,
  ): Promise<Repaired>
  /** Tells of what is written to the store through this process, for every tenant: for figures. Returns the way to stop. */
  onCommit(listener: CommitListener): () => void
  /**
   * Tells how many milliseconds the end of each of the store's transactions took, with its sync: for figures. Nothing where the
   * store cannot tell that from the rest. Returns the way to stop.
   */
  onSync(listener: (tookMs: number) => void): () => void
  /** Tenants that the store has anything of. */
  listTenants(): Promise<readonly TenantId[]>
  /** The same store for another tenant. */
  forTenant(tenantId: string, options?: { actor?: Actor }): Holdfast
  info(): StoreInfo
  /** Waits for what is being written, then closes the store if it was opened here. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const idleSessionsKept = 2_048

export async function openHoldfast(options: OpenOptions): Promise<Holdfast> {
  const given: unknown = (options as Partial<OpenOptions> | undefined)?.store
  if (typeof given !== 'object' || given === null || !('open' in given || 'commit' in given)) {
    throw new HoldfastError('invalid_input', 'store: expected sqlite(path), memory() or an open store.')
  }
  const isOwn = 'open' in options.store
  const { clock } = options
  const store = 'open' in options.store ? await options.store.open(clock ? { clock } : {}) : options.store
  const place = new Place(engineOf(store, options), isOwn)
  return place.tenant(tenantId(options.tenantId ?? DEFAULT_TENANT), options.actor ?? { kind: 'host' })
}

function engineOf(store: Store, options: OpenOptions): Engine {
  const random = options.random ?? systemRandom
  return {
    store,
    committer: new Committer(store, { random, elapsed }),
    ids: options.ids ?? uuidv7Ids(options.clock ?? systemClock),
    commitIds: commitIds(random),
    texts: new KnownTexts(),
    times: new WireTimes(),
    tailMemory: new TailMemory(),
    heads: new DecodedHeads(),
    random,
    upcasters: options.upcasters ?? upcasters,
    keyTtlMs: options.keyTtlMs ?? limits.keyTtlMs,
    resting: new RestingActors(options.idleSessions ?? idleSessionsKept),
    prices: askedOnce(options.prices),
  }
}

/** What failed is asked for again. */
function askedOnce(prices: OpenOptions['prices']): Engine['prices'] {
  let list: Promise<PriceList> | undefined
  return async () => {
    if (!prices) return undefined
    list ??= prices()
    try {
      return await list
    } catch (error) {
      list = undefined
      throw error
    }
  }
}

/** What all tenants' handles of one open store share. */
class Place {
  readonly engine: Engine
  /** One per tenant while anything uses it: handles and followers of a tenant must share its actors and tails. */
  readonly #logs = new Map<TenantId, WeakRef<TenantLog>>()
  readonly #unused = new FinalizationRegistry<TenantId>((tenant) => {
    if (this.#logs.get(tenant)?.deref() === undefined) this.#logs.delete(tenant)
  })
  readonly #isOwn: boolean
  readonly #stopListening: () => void
  #closing: Promise<void> | undefined

  constructor(engine: Engine, isOwn: boolean) {
    this.engine = engine
    this.#isOwn = isOwn
    this.#stopListening = engine.store.onForeignWrite(() => {
      for (const log of this.#logs.values()) log.deref()?.tails.foreignWrite()
    })
  }

  log(tenant: TenantId): TenantLog {
    const known = this.#logs.get(tenant)?.deref()
    if (known) return known
    const log = new TenantLog(this.engine, tenant)
    this.#logs.set(tenant, new WeakRef(log))
    this.#unused.register(log, tenant)
    return log
  }

  tenant(tenant: TenantId, actor: Actor): Holdfast {
    return new TenantHoldfast(this, this.log(tenant), actor)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stopListening()
    await this.engine.committer.close()
    for (const log of this.#logs.values()) log.deref()?.tails.close()
    if (this.#isOwn) await this.engine.store.close()
  }
}

class TenantHoldfast implements Holdfast {
  readonly sessions: Sessions
  readonly agents: Records<'agent'>
  readonly personas: Records<'persona'>
  readonly seeds: Records<'seed'>
  readonly conversations: Records<'conversation'>
  readonly participants: Records<'participant'>
  readonly importSources: Records<'import_source'>
  readonly priceBooks: PriceBooks
  readonly apiKeys: Records<'api_key'>
  readonly tenants: Records<'tenant'>
  readonly auditEntries: Records<'audit_entry'>
  readonly quotaUses: Records<'quota_use'>
  readonly keptAnswers: Records<'kept_answer'>
  readonly usage: Usage
  readonly #place: Place
  readonly #log: TenantLog
  readonly #actor: Actor

  constructor(place: Place, log: TenantLog, actor: Actor) {
    const records = <K extends RecordKind>(kind: K) => new Records(log, kind)
    this.#place = place
    this.#log = log
    this.#actor = actor
    this.sessions = new Sessions(log, actor)
    this.agents = records('agent')
    this.personas = records('persona')
    this.seeds = records('seed')
    this.conversations = records('conversation')
    this.participants = records('participant')
    this.importSources = records('import_source')
    this.priceBooks = new PriceBooks(log)
    this.apiKeys = records('api_key')
    this.tenants = records('tenant')
    this.auditEntries = records('audit_entry')
    this.quotaUses = records('quota_use')
    this.keptAnswers = records('kept_answer')
    this.usage = new Usage(log, this.priceBooks)
  }

  get tenantId(): TenantId {
    return this.#log.tenantId
  }

  search(query: string, options?: SearchOptions): Promise<SearchPage> {
    return searchSessions(this.#log, query, options)
  }

  async sweep({
    everyTenant = false,
    ...options
  }: SweepOptions & { everyTenant?: boolean } = {}): Promise<Swept> {
    const tenants = everyTenant ? await this.#log.store.listTenants() : [this.tenantId]
    const swept: Swept = {
      expiredSessions: 0,
      expiredQuestions: 0,
      recoveredRuns: 0,
      expiredKeys: 0,
      failed: [],
    }
    for (const tenant of tenants) {
      const one = await sweepTenant(this.#place.log(tenant), options)
      swept.expiredSessions += one.expiredSessions
      swept.expiredQuestions += one.expiredQuestions
      swept.recoveredRuns += one.recoveredRuns
      swept.failed.push(...one.failed)
    }
    swept.expiredKeys = await sweepKeys(this.#log)
    return swept
  }

  prune(options: PruneOptions): Promise<Pruned> {
    return pruneSessions(this.#log, options)
  }

  eraseUser(
    userId: string,
    options: Partial<EraseOptions> & { scrub?: boolean } = {},
  ): Promise<ErasureReceipt> {
    return eraseUser(this.#log, userId, { actor: this.#actor, ...options })
  }

  async scrub(): Promise<{ finalAt: string }> {
    await this.#log.store.scrub()
    return { finalAt: toTime(this.#log.nowMs) }
  }

  doctor(options?: DoctorOptions): AsyncGenerator<Finding, void, void> {
    return doctor(this.#log, (tenant) => this.#place.log(tenant), options)
  }

  repair(
    target: string | Iterable<Finding> | AsyncIterable<Finding>,
    options?: RepairOptions,
  ): Promise<Repaired> {
    return repair(this.#log, (tenant) => this.#place.log(tenant), target, options)
  }

  onCommit(listener: CommitListener): () => void {
    return this.#place.engine.committer.listen(listener)
  }

  onSync(listener: (tookMs: number) => void): () => void {
    return this.#log.store.onSync?.(listener) ?? (() => {})
  }

  listTenants(): Promise<readonly TenantId[]> {
    return this.#log.store.listTenants()
  }

  forTenant(id: string, options: { actor?: Actor } = {}): Holdfast {
    return this.#place.tenant(tenantId(id), options.actor ?? this.#actor)
  }

  info(): StoreInfo {
    return this.#log.store.info()
  }

  close(): Promise<void> {
    return this.#place.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
