/**
 * A price book: what model calls cost, by `provider/model`. Prices are whole micro-cents per million tokens; `call` is
 * micro-cents per call. A kind of token without a price is unknown, not free; cached tokens without one cost what the
 * prompt costs, reasoning without one what the completion costs. Where writes to a cache have a price, those that it keeps
 * for an hour have one of their own or none.
 */
import { z } from 'zod'
import { externalId } from './ids.ts'
import { recordOf } from './json.ts'
import { objectOnUse, onUse } from './on-use.ts'
import { time } from './time.ts'

const microcents = onUse(() => z.int().min(0))

const rates = () => ({
  prompt: microcents.optional(),
  completion: microcents.optional(),
  cachedRead: microcents.optional(),
  cachedWrite: microcents.optional(),
  cachedWriteHour: microcents.optional(),
  reasoning: microcents.optional(),
  call: microcents.optional(),
})

const tariff = () => ({
  ...rates(),
  /** Rates of the whole call once its prompt has more tokens than `above`; what a tier does not name stays. Rising. */
  tiers: z
    .array(z.strictObject({ above: z.int().min(0), ...rates() }))
    .max(16)
    .refine(
      (tiers) => tiers.every((tier, n) => n === 0 || tier.above > (tiers[n - 1]?.above ?? 0)),
      'not rising',
    )
    .optional(),
})

/** A time of day in UTC. */
const timeOfDay = onUse(() => z.string().regex(/^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/))

export const price = objectOnUse(() => ({
  ...tariff(),
  /** Prices instead of these, from a time on or between two times of every day; the last one that holds counts. */
  changes: z
    .array(
      z.strictObject({
        when: z.union([
          z.strictObject({ from: time }),
          /** Across midnight when `until` is the earlier one. `until` is not within. */
          z.strictObject({
            daily: z
              .strictObject({ from: timeOfDay, until: timeOfDay })
              .refine(({ from, until }) => from !== until, 'from and until are the same: it never holds'),
          }),
        ]),
        ...tariff(),
      }),
    )
    .max(64)
    .optional(),
}))

/** Lower case, for it is compared with names in lower case; `*` is any text, `#` a digit. */
const pattern = onUse(() =>
  z
    .string()
    .min(1)
    .max(512)
    .refine((text) => text === text.toLowerCase(), 'not in lower case'),
)

const prices = onUse(() => recordOf(price))

const parts = () => ({
  /** By `provider/model`; by a bare model for calls that name no provider. */
  prices,
  /** Other names of priced models: the first pattern that fits a `provider/model` gives the key of its price. */
  aliases: z.array(z.tuple([pattern, z.string().min(1).max(513)])).optional(),
  /** Other names of providers: the first pattern that fits gives the name that the aliases use. */
  providers: z.array(z.tuple([pattern, externalId])).optional(),
  /** Where the prices come from. */
  source: z.string().max(512).optional(),
})

export const priceBook = onUse(() =>
  z
    .strictObject(parts())
    .refine(
      ({ prices, aliases = [] }) => aliases.every(([, key]) => Object.hasOwn(prices, key)),
      'an alias names a model without a price',
    ),
)
export type PriceBook = z.infer<typeof priceBook>
export type Price = PriceBook['prices'][string]

/** What goes on top of a price book: the same, and nothing of it required. */
export const priceOverrides = objectOnUse(() => ({ ...parts(), prices: prices.optional() }))
export type PriceOverrides = z.infer<typeof priceOverrides>
