/** Takes a file back to the first schema, as an older version would have left it, so that opening it migrates it. */
import { DatabaseSync } from 'node:sqlite'

const added: Readonly<Record<string, readonly string[]>> = {
  tenants: ['crc'],
  sessions: ['seq_check', 'lease_crc', 'columns_crc', 'crc'],
  segments: ['crc'],
  refs: ['crc'],
  keys: ['crc'],
  drafts: ['crc'],
  chunks: ['crc'],
  checkpoints: ['crc'],
  records: ['crc'],
  tombstones: ['crc'],
  usage: ['price_book', 'figures', 'crc'],
}

const indices = `
  DROP INDEX usage_at; DROP INDEX usage_root;
  CREATE INDEX usage_root ON usage (tenant, root);`

export function toFirstSchema(file: string): void {
  using db = new DatabaseSync(file)
  const drops = Object.entries(added).flatMap(([table, columns]) =>
    columns.map((column) => `ALTER TABLE ${table} DROP COLUMN ${column};`),
  )
  db.exec(`BEGIN; ${indices} ${drops.join(' ')} PRAGMA user_version = 1; COMMIT`)
}
