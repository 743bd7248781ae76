import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exitCodes } from '../exit-codes.ts'
import { filledStore, temporaryFolder } from '../testing/place.ts'
import { run } from '../testing/run.ts'
import { type Served, served } from '../testing/served.ts'

const folder = temporaryFolder()
const store = join(folder, 'holdfast.db')

let server: Served
let id: string

beforeAll(async () => {
  id = await filledStore(store, async ({ sessions }) => (await sessions.create({ agentId: 'a' })).id)
  server = await served(['--store', store])
})
afterAll(() => server.stop())

const usage = exitCodes.usage.code

test.each([
  'sessions',
  'prune --keep 0 --yes',
  'delete last --yes',
  'erase --user u1 --yes',
  'keys list',
  'import .',
  'chat',
])('`%s` is refused where another tenant is asked for than that of the key', async (line) => {
  const args = line.split(' ')
  const named = await run([...args, '--server', server.url, '--tenant', 'team'])
  expect({ code: named.code, out: named.out }).toEqual({ code: usage, out: '' })
  expect(named.err).toContain('--tenant names the tenant team')
  expect(named.err).toContain('of the tenant default')
  const env = { HOLDFAST_SERVER: server.url, HOLDFAST_TENANT: 'team' }
  const byVariable = await run([...args, '--json'], { env })
  expect(byVariable.code).toBe(usage)
  expect(JSON.parse(byVariable.err).error).toMatchObject({
    code: 'invalid_input',
    details: { tenant: 'team', known: 'default' },
  })
  expect((await run(['show', id, '--store', store])).code).toBe(0)
})

test('the tenant of the key may be named', async () => {
  const { code, out } = await run(['sessions', '--jsonl', '--server', server.url, '--tenant', 'default'])
  expect(code).toBe(0)
  expect(out).toContain(id)
})

test('where no session tells the tenant of the key, none is taken for it', async () => {
  const empty = await served(['--store', join(folder, 'empty.db')])
  const refused = await run(['prune', '--keep', '0', '--yes', '--server', empty.url, '--tenant', 'default'])
  expect(refused.code).toBe(usage)
  expect(refused.err).toContain('cannot be told')
  expect((await run(['sessions', '--server', empty.url])).code).toBe(0)
  await empty.stop()
})
