/**
 * How fast a key and a tenant may ask: a bucket for each, which fills as time goes by, of this process alone. How much a tenant
 * may write in a day is counted beside it.
 */
import { HoldfastError } from '@holdfast/protocol'
import type { Route } from '../route.ts'
import type { Credential } from './credential.ts'
import type { DayQuotas, Written } from './day-quotas.ts'

/** A limit as it is named in the answer. */
interface Policy {
  name: 'key' | 'tenant' | Written
  most: number
  windowSecs: number
}

interface Bucket {
  tokens: number
  atMs: number
  most: number
  perMs: number
}

interface Left {
  policy: Policy
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
  readonly #days: DayQuotas
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: () => number, days: DayQuotas) {
    this.#clock = clock
    this.#days = days
  }

  /** Headers that tell of the narrowest limit; throws `rate_limited`. None where nothing is limited. */
  take(credential: Credential, route: Pick<Route, 'writes'>): Record<string, string> {
    const left = this.#leftOf(credential, route)
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

  #leftOf({ tenantId, keyId, perMin, quotas }: Credential, { writes }: Pick<Route, 'writes'>): Left[] {
    const { requestsPerMin, eventsPerDay, sessionsPerDay } = quotas ?? {}
    const ofMinute = (name: 'key' | 'tenant', id: string | undefined, most: number | undefined) =>
      most === undefined ? [] : [this.#take(`${name} ${id}`, { name, most, windowSecs: minuteSecs })]
    const ofDay = (name: Written, most: number | undefined) =>
      most === undefined ? [] : [this.#look(tenantId, name, most)]
    return [
      ...ofMinute('key', keyId, perMin),
      ...ofMinute('tenant', tenantId, requestsPerMin),
      ...(writes === undefined ? [] : ofDay('events', eventsPerDay)),
      ...(writes === 'session' ? ofDay('sessions', sessionsPerDay) : []),
    ]
  }

  #look(tenantId: string, name: Written, most: number): Left {
    return leftOf({ name, most, windowSecs: daySecs }, this.#days.left(tenantId, name, most), 0)
  }

  #take(id: string, policy: Policy): Left {
    const { most, windowSecs } = policy
    const nowMs = this.#clock()
    const perMs = most / windowSecs / 1_000
    const known = this.#buckets.get(id)
    const left = leftOf(policy, known ? Math.min(most, this.#filled(known)) : most, 1)
    this.#keep(id, { tokens: left.rest, atMs: nowMs, most, perMs })
    return left
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

/** `cost`: taken by the request itself. */
function leftOf(policy: Policy, tokens: number, cost: 0 | 1): Left & { rest: number } {
  const { most, windowSecs } = policy
  const isRefused = tokens < 1
  const rest = isRefused ? tokens : tokens - cost
  const missing = isRefused ? 1 - tokens : most - rest
  const secs = Math.ceil((missing * windowSecs) / most)
  return { policy, tokens: isRefused ? 0 : rest, rest, secs, isRefused }
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
