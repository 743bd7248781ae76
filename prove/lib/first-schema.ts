/** Takes a file back to the first schema, as an older version would have left it, so that opening it migrates it. */
import { DatabaseSync } from 'node:sqlite'

/** What later schemas added. A file that is not taken all the way back cannot be migrated, and the proof says so. */
const added: Readonly<Record<string, readonly string[]>> = {
  tenants: ['crc'],
  sessions: ['seq_check', 'lease_crc', 'columns_crc', 'crc'],
  segments: ['crc'],
  refs: ['crc'],
  keys: ['crc'],
  drafts: ['crc'],
  chunks: ['crc', 'session'],
  attachments: ['row_crc'],
  checkpoints: ['crc'],
  records: ['crc'],
  tombstones: ['crc'],
  upkeep: ['crc'],
  usage: ['price_book', 'figures', 'crc', 'cached_write_hour_tokens'],
}

const undone = `
  ALTER TABLE tenants ADD COLUMN has_sessions INTEGER NOT NULL DEFAULT 1;
  DROP INDEX usage_at; DROP INDEX usage_root;
  CREATE INDEX usage_root ON usage (tenant, root);`

export function toFirstSchema(file: string): void {
  using db = new DatabaseSync(file)
  const drops = Object.entries(added).flatMap(([table, columns]) =>
    columns.map((column) => `ALTER TABLE ${table} DROP COLUMN ${column};`),
  )
  db.exec(`BEGIN; ${undone} ${drops.join(' ')} PRAGMA user_version = 1; COMMIT`)
}
