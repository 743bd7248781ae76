/**
 * What a call took, from totals that grow. A file has one counter most often; but those of several limits may take turns, and
 * earlier versions began anew when a session was resumed. A count goes on from the counter that its last call leads from; the
 * newest one is asked first, as one that began anew may come to figures that another one had.
 * Where none does, a count was lost, and all since the newest counter that it can be of was spent.
 */
import type { Json, JsonObject } from '@holdfast/protocol'
import { objectOf } from '../openai-responses/items.ts'
import { isSame, isWithin, less, nothing, type Totals, totalsOf } from './totals.ts'

export interface Count {
  totals: Totals
  /** What the last call took, where it is told. */
  last: Totals | undefined
  /** Whose figures are told beside it. */
  limit: string | undefined
}

interface Counter {
  totals: Totals
  /** Beside which it was told. */
  limits: string[]
}

const most = 8

export class Counters {
  /** Those that counted last come first. */
  #known: Counter[]

  /** `position`: of an earlier reading. `isNew`: nothing was counted before that is in the totals. */
  constructor(position: JsonObject | undefined, isNew: boolean) {
    const others: readonly Json[] = Array.isArray(position?.counters) ? position.counters : []
    this.#known = [position, ...others.map(objectOf)].flatMap(counterOf)
    if (this.#known.length === 0 && isNew) this.#known = [{ totals: nothing, limits: [] }]
  }

  get isEmpty(): boolean {
    return this.#known.length === 0
  }

  position(): JsonObject {
    const [newest, ...others] = this.#known.map(({ totals, limits }) => ({
      totals: { ...totals },
      ...(limits.length > 0 && { limits: [...limits] }),
    }))
    return { ...newest, ...(others.length > 0 && { counters: others }) }
  }

  /** What was taken since this counter's last count. */
  take(count: Count): Totals {
    const { totals, last } = count
    const newest = this.#known.slice(0, 1)
    const before =
      newest.find((counter) => isLedTo(counter, count)) ??
      this.#known.find((counter) => isSame(counter.totals, totals)) ??
      this.#known.find((counter) => isLedTo(counter, count)) ??
      (isNewlyBegun(count) ? undefined : this.#known.find((counter) => mayGrowTo(counter, count)))
    this.#reach(count, before)
    return before ? less(totals, before.totals) : (last ?? totals)
  }

  /** One that is told again did not count. */
  #reach({ totals, limit }: Count, before: Counter | undefined): void {
    const limits = [...new Set([...(before?.limits ?? []), ...(limit === undefined ? [] : [limit])])]
    const now: Counter = { totals, limits }
    const isAgain = before !== undefined && isSame(before.totals, totals)
    this.#known = isAgain
      ? this.#known.map((counter) => (counter === before ? now : counter))
      : [now, ...this.#known.filter((counter) => counter !== before)].slice(0, most)
  }
}

function isLedTo({ totals }: Counter, { totals: now, last }: Count): boolean {
  return last !== undefined && isSame(less(now, totals), last)
}

function isNewlyBegun({ totals, last }: Count): boolean {
  return last !== undefined && isSame(totals, last)
}

/** No call took more than was counted since. */
function mayGrowTo({ totals, limits }: Counter, { totals: now, last, limit }: Count): boolean {
  const isOfLimit = limit === undefined || limits.length === 0 || limits.includes(limit)
  return isWithin(totals, now) && (last === undefined || (isOfLimit && isWithin(last, less(now, totals))))
}

function counterOf(value: JsonObject | undefined): Counter[] {
  const totals = totalsOf(objectOf(value?.totals))
  const limits: readonly Json[] = Array.isArray(value?.limits) ? value.limits : []
  return totals ? [{ totals, limits: limits.filter((limit) => typeof limit === 'string') }] : []
}
