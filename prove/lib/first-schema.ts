/** Takes a file back to the first schema, as an older version would have left it, so that opening it migrates it. */
import { DatabaseSync } from 'node:sqlite'
import { migrations } from '../../packages/core/src/store/sqlite/migrations.ts'

const ADDED_COLUMN = /^ALTER TABLE (\w+) ADD COLUMN (\w+)/gm

/** What the later schemas did besides adding columns, undone. */
const undone = `
  ALTER TABLE tenants ADD COLUMN has_sessions INTEGER NOT NULL DEFAULT 1;
  DROP INDEX usage_at; DROP INDEX usage_root;
  CREATE INDEX usage_root ON usage (tenant, root);`

export function toFirstSchema(file: string): void {
  using db = new DatabaseSync(file)
  const drops = migrations
    .slice(1)
    .flatMap(({ sql }) => [...sql.matchAll(ADDED_COLUMN)])
    .map(([, table, column]) => `ALTER TABLE ${table} DROP COLUMN ${column};`)
  db.exec(`BEGIN; ${undone} ${drops.join(' ')} PRAGMA user_version = 1; COMMIT`)
}
