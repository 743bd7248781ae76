/** What a server does about commits whatever its clients think of it. */
import type { Client } from 'pg'

const statements: Readonly<Record<string, readonly string[]>> = {
  on: [],
  off: ['ALTER SYSTEM SET synchronous_commit = off', 'SELECT pg_reload_conf()'],
  // The role finds this function before the server's own, and nobody has a say.
  never: [
    'CREATE SCHEMA deaf',
    'GRANT USAGE ON SCHEMA deaf TO PUBLIC',
    `CREATE FUNCTION deaf.set_config(name text, value text, is_local boolean) RETURNS text LANGUAGE sql AS $$
      SELECT pg_catalog.set_config(name, CASE name WHEN 'synchronous_commit' THEN 'off' ELSE value END, is_local) $$`,
    'ALTER ROLE writer SET search_path = deaf, pg_catalog',
    'ALTER ROLE writer SET synchronous_commit = off',
  ],
}

export async function syncCommits(admin: Client, when: string): Promise<void> {
  const wanted = statements[when]
  if (!wanted) throw new Error(`--sync is one of ${Object.keys(statements).join(', ')}, not ${when}`)
  for (const sql of wanted) await admin.query(sql)
}
