import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/place.ts'
import { findConfig } from './config.ts'

const folder = temporaryFolder()

function written(path: string, text: string): string {
  const whole = join(folder, path)
  mkdirSync(dirname(whole), { recursive: true })
  writeFileSync(whole, text)
  return whole
}

const invalid = (message: string) => expect.objectContaining({ code: 'invalid_input', message })

test.each(['ts', 'js', 'mjs'])('holdfast.config.%s is found upwards, with the same keys', async (ending) => {
  const path = written(
    `${ending}/holdfast.config.${ending}`,
    `export default { store: './a.db', tenant: 'team' }`,
  )
  mkdirSync(join(folder, ending, 'src/deep'), { recursive: true })
  const found = await findConfig(join(folder, ending, 'src/deep'), undefined)
  expect(found).toEqual({ path, config: { store: './a.db', tenant: 'team' } })
})

test('types are stripped, and agents are not looked at yet', async () => {
  const path = written(
    'typed/holdfast.config.ts',
    `const given: number = 7\nexport default { agents: given as unknown }`,
  )
  expect(await findConfig(dirname(path), undefined)).toEqual({ path, config: {}, agents: { path, given: 7 } })
})

test('two in one folder are an error that names both', async () => {
  const json = written('two/holdfast.config.json', '{}')
  const ts = written('two/holdfast.config.ts', 'export default {}')
  await expect(findConfig(dirname(ts), undefined)).rejects.toEqual(
    invalid(`${json} and ${ts} are both there.\n  Keep one of them.`),
  )
  expect(await findConfig(dirname(ts), 'holdfast.config.ts')).toMatchObject({ path: ts })
})

test.each([
  ['broken', 'export default {\n  a: = 1\n}', 'cannot be loaded'],
  ['thrown', 'throw new Error("no luck")', 'cannot be loaded: no luck'],
  ['absent', 'export default { store: (await import("no-such-package")).path }', 'cannot be loaded: '],
  ['nothing', 'export const store = "./a.db"', 'there is no default export'],
  ['list', 'export default []', 'expected an object'],
  ['typo', 'export default { agnets: [] }', 'unknown key "agnets". Did you mean agents?'],
  ['number', 'export default { store: 7 }', 'store: expected a text'],
])('a module that is %s is an error with its path', async (name, text, message) => {
  const path = written(`${name}/holdfast.config.ts`, text)
  await expect(findConfig(dirname(path), undefined)).rejects.toEqual(
    expect.objectContaining({
      code: 'invalid_input',
      message: expect.stringContaining(`${path}: ${message}`),
    }),
  )
})

test('agents are code, and JSON is told so; a file that was named must be there', async () => {
  const path = written('json/holdfast.config.json', '{"agents":[]}')
  await expect(findConfig(dirname(path), undefined)).rejects.toEqual(
    invalid(`${path}: agents are no JSON. holdfast.config.ts may have them.`),
  )
  const none = join(folder, 'none.ts')
  await expect(findConfig(folder, none)).rejects.toMatchObject({ code: 'not_found' })
})
