import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { checkLayers } from './layers.ts'

const manifests = {
  'package.json': { devDependencies: { vitest: '1', '@holdfast/protocol': '1', '@holdfast/core': '1' } },
  'packages/protocol/package.json': {
    name: '@holdfast/protocol',
    exports: { '.': './src/index.ts' },
    dependencies: { zod: '1' },
  },
  'packages/core/package.json': {
    name: '@holdfast/core',
    exports: { '.': './src/index.ts', './conformance': './src/store/conformance/index.ts' },
    dependencies: { '@holdfast/protocol': '1' },
  },
}

/** What the check says about a fake checkout: `path:line rule`, message left out. */
function broken(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'layers-'))
  const texts = Object.entries(manifests).map(([path, json]) => [path, JSON.stringify(json)] as const)
  try {
    for (const [path, text] of [...texts, ...Object.entries(files)]) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    return checkLayers(root).map(({ path, line, rule }) => `${path}:${line} ${rule}`)
  } finally {
    rmSync(root, { recursive: true })
  }
}

type Case = readonly [sentence: string, path: string, text: string, rules: readonly string[]]

const core = 'packages/core/src'

const cases: readonly Case[] = [
  [
    'protocol sees nothing of ours',
    'packages/protocol/src/a.ts',
    "import '@holdfast/core'",
    ['layer', 'package-arrow', 'declared'],
  ],
  [
    'a protocol test sees nothing of ours',
    'packages/protocol/src/a.test.ts',
    "import '@holdfast/core'",
    ['package-arrow'],
  ],
  ['protocol is pure', 'packages/protocol/src/a.ts', "import 'node:fs'", ['pure']],
  ['protocol may use what it declares', 'packages/protocol/src/a.ts', "import 'zod/v4'", []],
  ['core sees protocol', `${core}/a.ts`, "import '@holdfast/protocol'", []],
  ['core sees no other dependency', `${core}/a.ts`, "import 'zod'", ['declared']],
  [
    'core sees no bench',
    `${core}/a.ts`,
    "import '../../../bench/a.ts'",
    ['layer', 'package-arrow', 'package-by-name'],
  ],
  [
    'a package is imported by name',
    `${core}/a.ts`,
    "import '../../protocol/src/index.ts'",
    ['package-by-name'],
  ],
  [
    'the root imports a package by name too',
    'bench/a.ts',
    "import '../packages/core/src/index.ts'",
    ['package-by-name'],
  ],
  ['the session model sees no log', `${core}/session/a.ts`, "import '../log/a.ts'", ['layer']],
  ['the session model sees no store', `${core}/session/a.ts`, "export * from '../store/store.ts'", ['layer']],
  ['the session model is pure', `${core}/session/a.ts`, "import 'node:fs'", ['pure']],
  ['a type-only import counts', `${core}/session/a.ts`, "import type { A } from '../log/a.ts'", ['layer']],
  ['an import in a type counts', `${core}/session/a.ts`, "type A = import('../log/a.ts').A", ['layer']],
  ['a dynamic import counts', `${core}/session/a.ts`, "await import('../log/a.ts')", ['layer']],
  ['context sees the session model', `${core}/context/a.ts`, "import '../session/a.ts'", []],
  ['context sees no ledger', `${core}/context/a.ts`, "import '../ledger/a.ts'", ['layer']],
  ['context is pure', `${core}/context/a.ts`, "import 'fs'", ['pure']],
  ['the ledger sees no store', `${core}/ledger/a.ts`, "import '../store/store.ts'", ['layer']],
  ['the ledger is pure', `${core}/ledger/a.ts`, "import 'node:os'", ['pure']],
  ['a store sees the seam', `${core}/store/sqlite/a.ts`, "import '../store.ts'; import 'node:sqlite'", []],
  ['a store sees no session model', `${core}/store/sqlite/a.ts`, "import '../../session/a.ts'", ['layer']],
  ['a store sees no brother', `${core}/store/sqlite/a.ts`, "import '../memory/index.ts'", ['layer']],
  ['the seam sees no store', `${core}/store/store.ts`, "import './memory/index.ts'", ['layer']],
  ['conformance knows no store', `${core}/store/conformance/a.ts`, "import '../memory/index.ts'", ['layer']],
  ['a store sees no conformance', `${core}/store/memory/a.ts`, "import '../conformance/index.ts'", ['layer']],
  ['core itself sees no conformance', `${core}/index.ts`, "import './store/conformance/index.ts'", ['layer']],
  ['the bench sees no conformance', 'bench/a.ts', "import '@holdfast/core/conformance'", ['layer']],
  ['a test sees conformance', `${core}/store/memory/a.test.ts`, "import '../conformance/index.ts'", []],
  ['a test may use the root tooling', `${core}/a.test.ts`, "import 'vitest'; import '@holdfast/core'", []],
  ['a source may not use the root tooling', `${core}/a.ts`, "import 'vitest'", ['declared']],
  [
    'the log sees the seam and the models',
    `${core}/log/a.ts`,
    "import '../store/store.ts'; import '../session/a.ts'",
    [],
  ],
  ['the log sees no store', `${core}/log/a.ts`, "import '../store/sqlite/index.ts'", ['layer']],
  ['the root declares what it uses', 'bench/a.ts', "import 'left-pad'", ['declared']],
  ['the proofs see no bench', 'prove/a.ts', "import '../bench/a.ts'", ['layer']],
  ['the proofs start a Postgres', 'prove/a.ts', "import '../tools/postgres/start.ts'", []],
  ['a tool may reach into a package', 'tools/a.ts', "import '../packages/protocol/src/index.ts'", []],
  ['a file needs a layer', 'packages/stray/src/a.ts', 'export {}', ['place']],
  ['no hidden clock', `${core}/a.ts`, 'Date.now()', ['clock-and-chance']],
  ['no hidden clock by reference', `${core}/a.ts`, 'const now = globalThis.Date.now', ['clock-and-chance']],
  ['no date of now', 'packages/protocol/src/a.ts', 'new Date()', ['clock-and-chance']],
  ['a date from a value is fine', `${core}/a.ts`, 'new Date(0)', []],
  ['no hidden chance', `${core}/a.ts`, 'Math.random()', ['clock-and-chance']],
  ['no hidden id', `${core}/a.ts`, 'crypto.randomUUID()', ['clock-and-chance']],
  ['no imported hidden id', `${core}/a.ts`, "import { randomUUID } from 'node:crypto'", ['clock-and-chance']],
  ['the clock file may read the clock', `${core}/store/clock.ts`, 'Date.now()', []],
  ['a test may read the clock', `${core}/a.test.ts`, 'Date.now()', []],
  ['the bench may read the clock', 'bench/a.ts', 'Date.now()', []],
  ['a word in a comment is not code', `${core}/a.ts`, "// Date.now()\nconst a = 'Math.random()'", []],
  ['no empty catch', 'tools/a.ts', 'try { run() } catch { /* hush */ }', ['empty-catch']],
  ['no empty catch in a test', `${core}/a.test.ts`, 'try { run() } catch (e) {}', ['empty-catch']],
  ['no assembled SQL', `${core}/store/sqlite/a.ts`, 'db.prepare(`SELECT ${x}`)', ['constant-sql']],
  ['no assembled script', `${core}/store/sqlite/a.ts`, 'this.#db.exec(`PRAGMA ${x}`)', ['constant-sql']],
  ['a constant template is fine', `${core}/store/sqlite/a.ts`, 'db.prepare(`SELECT 1`)', []],
  ['no assembled statement', `${core}/store/postgres/a.ts`, 'f(`SELECT ${x}`)', ['constant-sql']],
  ['constants may be put together', `${core}/store/postgres/a.ts`, 'const A = "a"\nf(`SELECT ${A}`)', []],
  [
    'a value of a function may not',
    `${core}/store/postgres/a.ts`,
    '(A) => f(`SELECT ${A}`)',
    ['constant-sql'],
  ],
  ['nor a variable', `${core}/store/sqlite/a.ts`, 'let a = ""; f(`SELECT ${a}`)', ['constant-sql']],
  ['a table of our own may be named', `${core}/store/postgres/a.ts`, 'f(`CREATE SCHEMA ${x}`)', []],
]

const distributed: readonly (readonly [sql: string, troubles: number])[] = [
  ['CREATE TABLE @a (n bigserial)', 1],
  ['CREATE TABLE @a (n int8 GENERATED ALWAYS AS IDENTITY)', 1],
  ['CREATE SEQUENCE a', 1],
  ['SELECT nextval($1)', 1],
  ['SELECT pg_advisory_xact_lock($1)', 1],
  ['SELECT pg_try_advisory_lock($1)', 1],
  ['CREATE TRIGGER a AFTER INSERT ON @a', 1],
  ['CREATE FUNCTION a() RETURNS int4', 1],
  ['CREATE OR REPLACE PROCEDURE a()', 1],
  ['DO $$ BEGIN END $$', 1],
  ['CALL a()', 1],
  ['CREATE EXTENSION pg_trgm', 1],
  ['CREATE TEMP TABLE a ()', 1],
  ['CREATE UNLOGGED TABLE @a ()', 1],
  ['TRUNCATE @events', 1],
  ['SAVEPOINT a', 1],
  ['LOCK TABLE @events', 1],
  ['LOCK @events', 1],
  ['CREATE TABLE @a (b text REFERENCES @b)', 1],
  ['ALTER TABLE @a ADD FOREIGN KEY (b)', 1],
  ['ALTER TABLE @a ADD EXCLUDE USING btree (b WITH =)', 1],
  ['ALTER TABLE @a ADD UNIQUE (b) DEFERRABLE', 1],
  ['CREATE INDEX ON @a USING gist (b)', 1],
  ['CREATE TABLE @a (body jsonb)', 1],
  ['SELECT 1 FROM @events WHERE session = $2', 1],
  ['SELECT 1 FROM @events WHERE tenant = $2', 1],
  ['SELECT 1 FROM @events e JOIN @bodies b ON b.hash = e.aside WHERE e.tenant = $1', 1],
  ['UPDATE @sessions SET seq = $2', 1],
  ['DELETE FROM @events', 1],
  ['WITH a AS (SELECT 1 FROM @events) SELECT 1 FROM a', 1],
  ['INSERT INTO @garbage (session) VALUES ($1)', 1],
  ['INSERT INTO @garbage (tenant, session) SELECT tenant, session FROM @sessions WHERE tenant = $1', 1],
  ['SELECT 1 FROM @events WHERE tenant = $1', 0],
  ['SELECT 1 FROM @events e JOIN @bodies b ON b.tenant = e.tenant WHERE e.tenant = $1', 0],
  ['INSERT INTO @garbage (tenant, session) VALUES ($1, $2)', 0],
  ['INSERT INTO @garbage (tenant, session) SELECT $1, s.session FROM @sessions s WHERE s.tenant = $1', 0],
  ['SELECT tenant FROM @tenants', 0],
  ['CREATE TABLE @a (tenant text, session text, PRIMARY KEY (tenant, session))', 0],
  ['VACUUM @events', 0],
  ['A sentence about a sequence that is no SQL.', 0],
]

test.each(distributed)('what a distributed Postgres runs: %s', (sql, troubles) => {
  const found = broken({ [`${core}/store/postgres/a.ts`]: `f(\`${sql.replaceAll('$$', '\\$\\$')}\`)` })
  expect(found).toEqual(Array(troubles).fill(`${core}/store/postgres/a.ts:1 distributed-sql`))
  expect(broken({ [`${core}/store/sqlite/a.ts`]: `f(${JSON.stringify(sql)})` })).toEqual([])
})

test.each(cases)('%s', (_sentence, path, text, rules) => {
  expect(broken({ [path]: text })).toEqual(rules.map((rule) => `${path}:1 ${rule}`))
})

test('a cycle is found, through types and package names too', () => {
  const files = {
    [`${core}/a.ts`]: "import type { B } from './b.ts'",
    [`${core}/b.ts`]: "\nexport * from './c.ts'",
    [`${core}/c.ts`]: "import './a.ts'",
  }
  expect(broken(files)).toEqual([`${core}/c.ts:1 cycle`])
  expect(broken({ [`${core}/a.ts`]: "import './a.ts'" })).toEqual([`${core}/a.ts:1 cycle`])
  const selfByName = {
    [`${core}/index.ts`]: "import './a.test.ts'",
    [`${core}/a.test.ts`]: "import '@holdfast/core'",
  }
  expect(broken(selfByName)).toEqual([`${core}/index.ts:1 cycle`])
})

test('a diamond is no cycle', () => {
  const files = {
    [`${core}/a.ts`]: "import './b.ts'; import './c.ts'",
    [`${core}/b.ts`]: "import './d.ts'",
    [`${core}/c.ts`]: "import './d.ts'",
    [`${core}/d.ts`]: 'export {}',
  }
  expect(broken(files)).toEqual([])
})

test('the line of a violation is the line of the import', () => {
  expect(broken({ [`${core}/a.ts`]: "\n\nimport { a } from 'zod'" })).toEqual([`${core}/a.ts:3 declared`])
})
