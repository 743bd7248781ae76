/** What a tenant keeps beside its sessions. A version counts the writes of its own store, so it is not carried over. */
import { limits, type RecordKind, recordSchemas, type TenantId } from '@holdfast/protocol'
import type { RecordRow, Store } from '../../store/store.ts'

/** Gives how many were new there, or others. */
export async function copyRecords(from: Store, to: Store, tenantId: TenantId): Promise<number> {
  let copied = 0
  for (const kind of Object.keys(recordSchemas) as RecordKind[]) {
    for await (const record of recordsOf(from, tenantId, kind)) {
      if (await put(to, tenantId, record)) copied += 1
    }
  }
  return copied
}

async function* recordsOf(store: Store, tenantId: TenantId, kind: string): AsyncGenerator<RecordRow> {
  let after: string | undefined
  do {
    const query = { limit: limits.pageItems, ...(after !== undefined && { after }) }
    const page = await store.listRecords(tenantId, kind, query)
    yield* page
    after = page.length < limits.pageItems ? undefined : page.at(-1)?.id
  } while (after !== undefined)
}

async function put(to: Store, tenantId: TenantId, { kind, id, key, body }: RecordRow): Promise<boolean> {
  for (;;) {
    const there = await to.readRecord(tenantId, kind, id)
    if (there?.body === body && there.key === key) return false
    const outcome = await to.putRecord(tenantId, { kind, id, key, body }, there?.version ?? 0)
    if (outcome.status === 'written') return true
  }
}
