import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exitCodes } from './exit-codes.ts'
import { filledStore, temporaryFolder } from './testing/place.ts'
import { run } from './testing/run.ts'

const store = join(temporaryFolder(), 'holdfast.db')

test.each([
  ['sessions -n 0 --json', 'at least 1'],
  ['sessions --jsno --json', 'Did you mean --json?'],
  ['sessions too many --jsonl', 'too many arguments'],
  ['shw --json', 'Did you mean show?'],
  ['show --json', "missing required argument 'id'"],
  ['sessions --json --jsonl', 'cannot be used with'],
  ['nonsense --help --json', "unknown command 'nonsense'"],
  ['--json', 'holdfast --help'],
])('%s is refused in JSON', async (line, said) => {
  const { code, out, err } = await run(line.split(' '))
  expect({ code, out }).toEqual({ code: exitCodes.usage.code, out: '' })
  const { error } = JSON.parse(err)
  expect(error).toEqual({ code: 'invalid_input', message: expect.stringContaining(said), details: {} })
  expect(error.message).not.toMatch(/^error/)
})

test('what is searched for asks for no JSON', async () => {
  const { err } = await run(['search', '--store', store, '--', '--json'])
  expect(err).toMatch(/^holdfast: There is no store/)
})

test.each(['nonsense', 'nonsense --help', 'help nonsense'])(
  '%s ends as an unknown command, with a way on',
  async (line) => {
    expect(await run(line.split(' '))).toEqual({
      code: exitCodes.usage.code,
      out: '',
      err: "holdfast: unknown command 'nonsense'\n  holdfast --help lists them.\n",
    })
  },
)

test.each(['shw', 'shw --help', 'help shw'])('%s names the right one', async (line) => {
  const { code, out, err } = await run(line.split(' '))
  expect({ code, out, err }).toEqual({
    code: exitCodes.usage.code,
    out: '',
    err: "holdfast: unknown command 'shw'\n(Did you mean show?)\n",
  })
})

test('a list that fails before its first item leaves nothing on stdout', async () => {
  await filledStore(store, ({ sessions }) => sessions.create({ agentId: 'agent' }))
  for (const place of [
    ['--after', 'xyz', '--store', store],
    ['--server', await deadServer()],
  ]) {
    const { code, out, err } = await run(['sessions', '--json', ...place])
    expect(code).not.toBe(0)
    expect(out).toBe('')
    expect(JSON.parse(err)).toHaveProperty('error.code')
  }
})

/** An address where nobody listens any more. */
async function deadServer(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}
