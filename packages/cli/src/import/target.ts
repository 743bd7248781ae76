/** Where `holdfast import` puts sessions: into the store itself, or into that of a server. */
import type { PriceList } from '@holdfast/core'
import type { ImportOptions, ImportPlace } from '@holdfast/transcripts'
import type { Context } from '../context.ts'
import { keyTenant, requireSame } from '../place/key-tenant.ts'
import type { Place } from '../place/place.ts'
import { servedPlace } from '../place/served-place.ts'
import { shownStore } from '../place/settings.ts'
import { importPrices } from './prices.ts'
import { importThreads } from './threads.ts'

export interface ImportTarget {
  /** For people. */
  name: string
  into: ImportPlace
  /** Asked for once, when they are needed. Undefined: calls stay unpriced. */
  prices(): Promise<PriceList | undefined>
  threads?: ImportOptions['threads']
  /** Resolves when everything is where it is to be. */
  settle(): Promise<void>
}

export async function importTarget(
  context: Context,
  { isPriced }: { isPriced: boolean },
): Promise<ImportTarget> {
  return (await context.settings()).server === undefined
    ? ofStore(context, isPriced)
    : ofServer(context, isPriced)
}

async function ofStore(context: Context, isPriced: boolean): Promise<ImportTarget> {
  const settings = await context.settings()
  const holdfast = await context.open({ create: true })
  const prices = pricesOf(holdfast, isPriced)
  return {
    name: `Store: ${shownStore(settings.store)}`,
    into: holdfast,
    prices,
    threads: importThreads(settings, prices),
    settle: async () => undefined,
  }
}

async function ofServer(context: Context, isPriced: boolean): Promise<ImportTarget> {
  const { RemoteImport } = await import('./remote-import.ts')
  const settings = await context.settings()
  const client = await context.anyClient()
  const known = await keyTenant(client)
  if (known !== undefined) requireSame(known, settings)
  const place = servedPlace(client)
  // Where no session tells the tenant, the server refuses sessions of another.
  const into = await RemoteImport.open(client, place, known ?? settings.tenant ?? 'default')
  context.closeLater(() => into.close())
  const prices = pricesOf(place, isPriced)
  return { name: `Server: ${settings.server}`, into, prices, settle: () => into.send() }
}

function pricesOf({ priceBooks }: Pick<Place, 'priceBooks'>, isPriced: boolean): ImportTarget['prices'] {
  let known: ReturnType<ImportTarget['prices']> | undefined
  return () => {
    known ??= isPriced ? importPrices(priceBooks) : Promise.resolve(undefined)
    return known
  }
}
