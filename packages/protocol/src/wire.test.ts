import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { eventTypes, WIRE_VERSION } from './index.ts'
import { schemaFiles } from './schemas.ts'

const home = new URL('../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, home), 'utf8')
const files = schemaFiles()

const history = JSON.parse(read('wire-history.json')) as { version: number; hash: string; note: string }[]

test('the wire has not changed without a new version', () => {
  const hash = createHash('sha256')
    .update(JSON.stringify([...files]))
    .digest('hex')
  const last = history.at(-1)
  expect(
    { version: last?.version, hash: last?.hash },
    `The wire shapes changed. Run \`npm run schemas\` and look at the diff. If the last version was released, raise
WIRE_VERSION in src/wire.ts and add a line to wire-history.json; if not, replace the hash of its last line:
{ "version": ${WIRE_VERSION}, "hash": "${hash}", "note": "what changed" }`,
  ).toEqual({ version: WIRE_VERSION, hash })
})

test('the history counts up from 1 and says what changed', () => {
  expect(history.map(({ version }) => version)).toEqual(history.map((_, index) => index + 1))
  for (const { note } of history) expect(note).not.toBe('')
})

test('the committed schema files are the export; if not, run `npm run schemas`', () => {
  expect(readdirSync(new URL('schemas/', home)).sort()).toEqual([...files.keys()])
  for (const [name, text] of files) expect(read(`schemas/${name}`), name).toBe(text)
})

test('the export is the same every time', () => {
  expect([...schemaFiles()]).toEqual([...files])
})

test('every event type has its own definition and its place in the union', () => {
  const event = JSON.parse(files.get('event.schema.json') ?? '{}')
  expect(Object.keys(event.$defs).sort()).toEqual([...eventTypes, 'erased'].sort())
  expect(
    event.oneOf.map((one: { properties: { type: { const: string } } }) => one.properties.type.const),
  ).toEqual(eventTypes)
})

test('every reference in a schema has its definition', () => {
  for (const [name, text] of files) {
    const definitions = Object.keys(JSON.parse(text).$defs ?? {})
    for (const [, target] of text.matchAll(/"\$ref": "#\/\$defs\/([^"]+)"/g)) {
      expect(definitions, name).toContain(target)
    }
  }
})
