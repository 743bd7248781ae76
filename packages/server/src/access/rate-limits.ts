/**
 * How fast a key and a tenant may ask, and how much a tenant may write: a bucket for each, which fills as time goes by. Requests
 * are taken from theirs as they come; events and sessions once they are written. Of this process alone.
 */
import type { CommittedBatch } from '@holdfast/core'
import { HoldfastError } from '@holdfast/protocol'
import type { Route } from '../route.ts'
import type { Credential } from './credential.ts'

/** A limit as it is named in the answer. */
type LimitedBy = 'key' | 'tenant' | 'sessions' | 'events'

interface Policy {
  name: LimitedBy
  id: string
  most: number
  windowSecs: number
  /** Taken by the request itself. */
  cost: 0 | 1
}

interface Bucket {
  tokens: number
  atMs: number
  most: number
  perMs: number
}

interface Left {
  tokens: number
  /** Until there is more. */
  secs: number
  isRefused: boolean
}

/** Buckets that are remembered; a full one says nothing, so the oldest go. */
const bucketsMost = 10_000
const minuteSecs = 60
const daySecs = 86_400

export class RateLimits {
  readonly #clock: () => number
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** Headers that tell of the narrowest limit; throws `rate_limited`. None where nothing is limited. */
  take(credential: Credential, route: Pick<Route, 'writes'>): Record<string, string> {
    const left = policiesOf(credential, route).map((policy) => ({ policy, ...this.#take(policy) }))
    const [narrowest] = left.sort((a, b) => a.tokens / a.policy.most - b.tokens / b.policy.most)
    const refusing = left.find(({ isRefused }) => isRefused) ?? narrowest
    if (!refusing) return {}
    const { policy, tokens, secs, isRefused } = refusing
    const { name, most, windowSecs } = policy
    const headers = {
      'ratelimit-policy': `"${name}";q=${most};w=${windowSecs}`,
      ratelimit: `"${name}";r=${Math.max(0, Math.floor(tokens))};t=${secs}`,
    }
    if (isRefused) throw new RateLimited(sentence(policy), secs, headers)
    return headers
  }

  /** What was written counts, by whomever it was. */
  charge({ commits }: CommittedBatch): void {
    for (const { tenantId, events, isNew } of commits) {
      this.#charge(`events ${tenantId}`, events)
      if (isNew) this.#charge(`sessions ${tenantId}`, 1)
    }
  }

  /** Tenants that may write nothing, or make no session, now. */
  get tenantsOver(): number {
    const over = new Set<string>()
    for (const [id, bucket] of this.#buckets) {
      const [name = '', tenantId = ''] = id.split(' ')
      if ((name === 'events' || name === 'sessions') && this.#filled(bucket) < 1) over.add(tenantId)
    }
    return over.size
  }

  #take({ id, most, windowSecs, cost }: Policy): Left {
    const nowMs = this.#clock()
    const perMs = most / windowSecs / 1_000
    const known = this.#buckets.get(id)
    const tokens = known ? Math.min(most, this.#filled(known)) : most
    const isRefused = tokens < 1
    const rest = isRefused ? tokens : tokens - cost
    this.#keep(id, { tokens: rest, atMs: nowMs, most, perMs })
    const missing = isRefused ? 1 - tokens : most - rest
    return { tokens: isRefused ? 0 : rest, secs: Math.ceil((missing * windowSecs) / most), isRefused }
  }

  /** Below 0 for what was under way when nothing was left. */
  #charge(id: string, cost: number): void {
    const bucket = this.#buckets.get(id)
    if (bucket) this.#keep(id, { ...bucket, tokens: this.#filled(bucket) - cost, atMs: this.#clock() })
  }

  #filled({ tokens, atMs, most, perMs }: Bucket): number {
    return Math.min(most, tokens + Math.max(0, this.#clock() - atMs) * perMs)
  }

  #keep(id: string, bucket: Bucket): void {
    this.#buckets.delete(id)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size >= bucketsMost && oldest !== undefined) this.#buckets.delete(oldest)
    this.#buckets.set(id, bucket)
  }
}

function policiesOf(
  { tenantId, keyId, perMin, quotas }: Credential,
  { writes }: Pick<Route, 'writes'>,
): Policy[] {
  const named = (
    name: LimitedBy,
    id: string | undefined,
    most: number | undefined,
    isDaily = false,
  ): Policy[] =>
    most === undefined
      ? []
      : [
          {
            name,
            id: `${name} ${id}`,
            most,
            windowSecs: isDaily ? daySecs : minuteSecs,
            cost: isDaily ? 0 : 1,
          },
        ]
  return [
    ...named('key', keyId, perMin),
    ...named('tenant', tenantId, quotas?.requestsPerMin),
    ...(writes === undefined ? [] : named('events', tenantId, quotas?.eventsPerDay, true)),
    ...(writes === 'session' ? named('sessions', tenantId, quotas?.sessionsPerDay, true) : []),
  ]
}

function sentence({ name, most }: Policy): string {
  if (name === 'events') return `the tenant may write ${most} events a day.`
  if (name === 'sessions') return `the tenant may make ${most} sessions a day.`
  return `the ${name} may ask ${most} times a minute.`
}

/** With what the answer says of it. */
export class RateLimited extends HoldfastError {
  readonly headers: Record<string, string>

  constructor(message: string, secs: number, headers: Record<string, string>) {
    super('rate_limited', message, { details: { retryAfterSecs: secs } })
    this.headers = { ...headers, 'retry-after': String(secs) }
  }
}
