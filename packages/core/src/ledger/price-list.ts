import type { PriceBook } from '@holdfast/protocol'

/** Prices, and the name that rows of the ledger give for where their cost comes from. */
export interface PriceList {
  id: string
  body: PriceBook
}
