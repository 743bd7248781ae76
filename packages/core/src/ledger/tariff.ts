/** What a price says about one call: prices change with time, and some with the size of the prompt. */
import type { Price } from '@holdfast/protocol'

type Change = NonNullable<Price['changes']>[number]

/** Micro-cents per million tokens, and per call. */
export type Rates = Omit<Price, 'tiers' | 'changes'>

/** `at`: when the call was made, ISO time. Undefined for a price that changes with time when that is not known. */
export function ratesOf(price: Price, promptTokens: number, at: string | undefined): Rates | undefined {
  if (price.changes && at === undefined) return undefined
  const { tiers = [], ...base } = price.changes?.findLast(({ when }) => holds(when, at as string)) ?? price
  const reached = tiers.filter(({ above }) => promptTokens > above)
  return Object.assign({}, base, ...reached)
}

function holds(when: Change['when'], at: string): boolean {
  if ('from' in when) return Date.parse(at) >= Date.parse(when.from)
  const time = at.slice('YYYY-MM-DDT'.length, 'YYYY-MM-DDTHH:MM:SS'.length)
  const { from, until } = when.daily
  return from <= until ? from <= time && time < until : from <= time || time < until
}
