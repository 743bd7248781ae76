/**
 * SQL that a distributed Postgres runs as well: nothing that needs one node to count, lock or remember for all of them,
 * and no statement that is not about one tenant.
 */
const forbidden: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['sequences', /\b(small|big)?serial\b|\bsequence\b|\bidentity\b|\b(next|set|curr)val\b/i],
  ['advisory locks', /\bpg_(try_)?advisory_/i],
  ['triggers', /\btrigger\b/i],
  ['functions of our own', /\b(function|procedure|plpgsql)\b|^\s*(do|call)\b/i],
  ['extensions', /\bextension\b/i],
  ['temporary and unlogged tables', /\b(temp|temporary|unlogged)\b/i],
  ['TRUNCATE', /\btruncate\b/i],
  ['savepoints', /\bsavepoint\b/i],
  ['table locks', /^\s*lock\b/i],
  ['foreign keys', /\b(references|foreign\s+key)\b/i],
  ['exclusion and deferrable constraints', /\bexclude\b|\bdeferr(able|ed)\b/i],
  ['GiST', /\bgist\b/i],
  ['jsonb', /\bjsonb/i],
]

const start =
  /^\s*(ALTER|ANALYZE|BEGIN|CALL|COMMIT|COPY|CREATE|DECLARE|DELETE|DO|DROP|EXECUTE|GRANT|INSERT|LISTEN|LOCK|MERGE|NOTIFY|PREPARE|REFRESH|REINDEX|RELEASE|REVOKE|ROLLBACK|SAVEPOINT|SELECT|SET|TRUNCATE|UPDATE|VACUUM|WITH)\b/

/** Their rows are no tenant's: the list of tenants, and the version of the schema. */
const registries = ['tenants', 'schema_version']

/** What is wrong with a text, if it is SQL. */
export function troublesOf(text: string): string[] {
  if (!start.test(text)) return []
  const troubles = forbidden.flatMap(([name, pattern]) => (pattern.test(text) ? [`no ${name}`] : []))
  return [...troubles, ...tenantTroubles(text)]
}

export function isStatementOnRows(text: string): boolean {
  return /^\s*(DELETE|INSERT|MERGE|SELECT|UPDATE|WITH)\b/.test(text)
}

/** Every table that a statement reads or changes has its own condition, and every row that it inserts its tenant first. */
function tenantTroubles(text: string): string[] {
  if (!isStatementOnRows(text)) return []
  const isInserted = /\bINSERT INTO\s+@(\w+)/g
  const inserted = [...text.matchAll(isInserted)].filter(([, table]) => isOfTenants(table))
  const used = [...text.replace(isInserted, '').matchAll(/@(\w+)/g)].filter(([, table]) => isOfTenants(table))
  const conditions = text.match(/\btenant = (\$1\b|\w+\.tenant\b)/g) ?? []
  const insertions =
    text.match(/\bINSERT INTO\s+@\w+\s+\(\s*tenant\b[^)]*\)\s*(SELECT\s+|VALUES\s+\()\$1\b/g) ?? []
  const troubles: string[] = []
  if (conditions.length < used.length) troubles.push('a table is used without `tenant = $1`')
  if (insertions.length < inserted.length) troubles.push('a row is inserted without $1 as its tenant')
  return troubles
}

function isOfTenants(table: string | undefined): boolean {
  return table !== undefined && !registries.includes(table)
}
