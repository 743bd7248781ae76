/** `npm run schemas`: writes the protocol's JSON Schema files and its ERRORS.md from their sources. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { errorsDoc } from '../packages/protocol/src/errors-doc.ts'
import { schemaFiles } from '../packages/protocol/src/schemas.ts'

const home = new URL('../packages/protocol/', import.meta.url)
const folder = new URL('schemas/', home)
const files = schemaFiles()

mkdirSync(folder, { recursive: true })
for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(new URL(name, folder))
for (const [name, text] of files) writeFileSync(new URL(name, folder), text)
writeFileSync(new URL('ERRORS.md', home), errorsDoc())
