import { createHash } from 'node:crypto'

/** The id of an imported session: the same source of a tenant gives the same id, on every machine. Looks like a UUIDv8. */
export function sessionIdOf(tenantId: string, format: string, sourceId: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([tenantId, format, sourceId]))
    .digest('hex')
  const variant = ((Number.parseInt(hash.slice(16, 17), 16) & 0x3) | 0x8).toString(16)
  const groups = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    variant + hash.slice(17, 20),
    hash.slice(20, 32),
  ]
  return groups.join('-')
}
