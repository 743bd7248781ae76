/** How fast a key and a tenant may ask: a bucket each, which fills as time goes by. Of this process alone. */
import { HoldfastError } from '@holdfast/protocol'
import type { Credential } from './credential.ts'

interface Bucket {
  tokens: number
  atMs: number
}

/** Buckets that are remembered; a full one says nothing, so the oldest go. */
const bucketsMost = 10_000
const minuteMs = 60_000

export class RateLimits {
  readonly #clock: () => number
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** Headers that tell of the narrowest limit; throws `rate_limited`. None where nothing is limited. */
  take({ tenantId, keyId, perMin, quotas }: Credential): Record<string, string> {
    const policies = [
      { name: 'key', id: `key ${keyId}`, most: perMin },
      { name: 'tenant', id: `tenant ${tenantId}`, most: quotas?.requestsPerMin },
    ].flatMap(({ most, ...policy }) => (most === undefined ? [] : [{ ...policy, most }]))
    const left = policies.map((policy) => ({ ...policy, ...this.#take(policy.id, policy.most) }))
    const [narrowest] = left.sort((a, b) => a.left - b.left)
    if (!narrowest) return {}
    const { name, most, left: remaining, secs } = narrowest
    const headers = {
      'ratelimit-policy': `"${name}";q=${most};w=60`,
      ratelimit: `"${name}";r=${Math.max(0, Math.floor(remaining))};t=${secs}`,
    }
    if (remaining >= 0) return headers
    throw new RateLimited(`the ${name} may ask ${most} times a minute.`, secs, headers)
  }

  /** What is left afterwards; below 0, and nothing taken, when there was nothing. `secs` until there is more. */
  #take(id: string, most: number): { left: number; secs: number } {
    const nowMs = this.#clock()
    const perMs = most / minuteMs
    const known = this.#buckets.get(id) ?? { tokens: most, atMs: nowMs }
    const tokens = Math.min(most, known.tokens + Math.max(0, nowMs - known.atMs) * perMs)
    const left = tokens - 1
    this.#keep(id, { tokens: left < 0 ? tokens : left, atMs: nowMs })
    const missing = left < 0 ? 1 - tokens : most - left
    return { left, secs: Math.ceil(missing / perMs / 1_000) }
  }

  #keep(id: string, bucket: Bucket): void {
    this.#buckets.delete(id)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size >= bucketsMost && oldest !== undefined) this.#buckets.delete(oldest)
    this.#buckets.set(id, bucket)
  }
}

/** With what the answer says of it. */
export class RateLimited extends HoldfastError {
  readonly headers: Record<string, string>

  constructor(message: string, secs: number, headers: Record<string, string>) {
    super('rate_limited', message, { details: { retryAfterSecs: secs } })
    this.headers = { ...headers, 'retry-after': String(secs) }
  }
}
