/** Looking at a table a page at a time, each page a transaction of its own, so that nobody waits for it. */
import { isHoldfastError, type TenantId } from '@holdfast/protocol'
import type { StoreFinding } from '../store.ts'
import type { SqlValue } from './driver.ts'

export interface Page {
  findings: readonly StoreFinding[]
  /** The key of the last row; absent at the end. */
  next?: readonly SqlValue[]
}

export interface Look {
  tenant: TenantId
  /** Says of what, for messages. */
  of: string
  /** A key before every row's. */
  start: readonly SqlValue[]
  page(after: readonly SqlValue[]): Promise<Page>
}

/** What the engine cannot read is a finding; where the next page begins is not known then. */
export async function* paged({ tenant, of, start, page }: Look): AsyncGenerator<StoreFinding> {
  for (let after: readonly SqlValue[] | undefined = start; after; ) {
    try {
      const { findings, next }: Page = await page(after)
      yield* findings
      after = next
    } catch (error) {
      if (!isHoldfastError(error, 'store_corrupt')) throw error
      const { message } = error.cause instanceof Error ? error.cause : error
      yield { code: 'engine_damaged', tenantId: tenant, message: `the ${of} cannot be read: ${message}` }
      return
    }
  }
}
