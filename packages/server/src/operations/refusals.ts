/**
 * Which refusals are told of one by one. So many in a row are, and then so many an hour: a flood leaves a few entries, and the
 * next of them says how many were left out.
 */
const most = 100
const perHour = 10
const hourMs = 3_600_000

interface Allowance {
  left: number
  atMs: number
  untold: number
}

export class Refusals {
  readonly #clock: () => number
  /** By tenant: there are as many as have keys, and the server's own. */
  readonly #tenants = new Map<string, Allowance>()

  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** How many were left out since the last that was told of; undefined when this one is left out too. */
  take(tenantId: string): number | undefined {
    const nowMs = this.#clock()
    const known = this.#tenants.get(tenantId) ?? { left: most, atMs: nowMs, untold: 0 }
    const left = Math.min(most, known.left + (Math.max(0, nowMs - known.atMs) * perHour) / hourMs)
    const isTold = left >= 1
    this.#tenants.set(tenantId, {
      left: isTold ? left - 1 : left,
      atMs: nowMs,
      untold: isTold ? 0 : known.untold + 1,
    })
    return isTold ? known.untold : undefined
  }
}
