import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commands } from './commands/index.ts'
import { exitCodes } from './exit-codes.ts'
import { temporaryFolder } from './testing/place.ts'
import { run } from './testing/run.ts'

const folder = temporaryFolder()
const store = join(folder, 'none.db')

test('alone it shows every command, where the store is, and what to type first', async () => {
  const { code, out } = await run([], { env: { HOLDFAST_STORE: store } })
  expect(code).toBe(0)
  for (const name of Object.keys(commands)) expect(out).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'))
  expect(out).toContain(`Store: ${store} (not there yet; HOLDFAST_STORE)`)
  expect(out).toContain('Start: holdfast import ~/.claude/projects')
})

test.each(Object.keys(commands))(
  '%s --help has its examples and the options of every command',
  async (name) => {
    const { code, out, err } = await run([name, '--help'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('Examples:\n')
    expect(out).toContain('holdfast')
    expect(out).toContain('--store <path>')
  },
)

test('help <command> is <command> --help', async () => {
  expect(await run(['help', 'show'])).toEqual(await run(['show', '--help']))
})

test('a mistyped command, option or value names the right one and ends with 2', async () => {
  const typed = [
    ['sesions', 'sessions'],
    ['sessions --agnt', '--agent'],
    ['sessions --status runing', 'running'],
    ['sessions --channel telegrm', 'telegram'],
    ['usage --by modell', 'model'],
    ['completion bsh', 'bash'],
  ] as const
  for (const [line, meant] of typed) {
    const { code, out, err } = await run([...line.split(' '), '--store', store])
    expect({ line, code, out }).toEqual({ line, code: exitCodes.usage.code, out: '' })
    expect(err).toMatch(new RegExp(`[Dd]id you mean ${meant}\\?`))
  }
})

test('a store that is not there is not made by reading, and the message says what makes one', async () => {
  const { code, out, err } = await run(['sessions', '--store', store])
  expect({ code, out }).toEqual({ code: exitCodes.missing.code, out: '' })
  expect(err).toBe(
    `holdfast: There is no store at ${store} (--store).\n  holdfast import <paths…> makes one.\n`,
  )
})

test('with --json an error is a JSON text on stderr', async () => {
  const { code, err } = await run(['sessions', '--json', '--store', store])
  expect(code).toBe(exitCodes.missing.code)
  expect(JSON.parse(err)).toMatchObject({ error: { code: 'not_found', details: { store } } })
})

test('what may follow is completed from the commands themselves', async () => {
  const complete = async (...words: string[]) =>
    (await run(['__complete', ...words])).out.split('\n').slice(0, -1)
  expect(await complete('se')).toEqual(['sessions', 'search', 'serve'])
  expect(await complete('keys', '')).toEqual(['create', 'list', 'revoke'])
  expect(await complete('sessions', '--status', 'ex')).toEqual(['expired'])
  expect(await complete('sessions', '--t')).toEqual(['--tree', '--thread', '--tenant'])
  expect(await complete('usage', '--by', 'm')).toEqual(['model'])
  expect(await complete('show', '')).toEqual([])
})

test.each(['bash', 'zsh', 'fish'])('the %s script asks the command', async (shell) => {
  const { code, out } = await run(['completion', shell])
  expect(code).toBe(0)
  expect(out).toContain('holdfast __complete')
})
