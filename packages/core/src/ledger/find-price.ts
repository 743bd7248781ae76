/** Which price of a book a call is rated by: its own key, or the first alias that fits. */
import type { Price, PriceBook, UsageRecord } from '@holdfast/protocol'
import { splitModel } from '../session/model-ref.ts'
import { fits } from './glob.ts'

type Named = Partial<Pick<UsageRecord, 'providerId' | 'model'>>

/** By book and then by key. A book is a value: once it has been used it is not to be changed. */
const found = new WeakMap<PriceBook, Map<string, Price | undefined>>()

/** Names kept of one book: callers choose models, so what is kept of them is bounded. */
const namesKept = 10_000

/** The pair of provider and model wins over a bare name, which is split when it has the form of a pair. */
export function findPrice({ providerId, model }: Named, book: PriceBook): Price | undefined {
  if (model === undefined) return undefined
  const ref = providerId === undefined ? splitModel(model) : { providerId, model }
  const key = ref.providerId === undefined ? ref.model : `${ref.providerId}/${ref.model}`
  const known = found.get(book) ?? new Map<string, Price | undefined>()
  found.set(book, known)
  if (!known.has(key)) {
    if (known.size >= namesKept) known.clear()
    known.set(key, own(book, key) ?? byAlias(ref.providerId, ref.model, book))
  }
  return known.get(key)
}

function own({ prices }: PriceBook, key: string): Price | undefined {
  return Object.hasOwn(prices, key) ? prices[key] : undefined
}

/** Names are compared in lower case, the provider's under the name that the book has for it. */
function byAlias(providerId: string | undefined, model: string, book: PriceBook): Price | undefined {
  const lower = model.toLowerCase()
  const name = providerId === undefined ? lower : `${inBook(providerId.toLowerCase(), book)}/${lower}`
  const key = book.aliases?.find(([pattern]) => fits(pattern, name))?.[1]
  return own(book, key ?? name)
}

function inBook(provider: string, { providers = [] }: PriceBook): string {
  return providers.find(([pattern]) => fits(pattern, provider))?.[1] ?? provider
}
