import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exitCodes } from '../exit-codes.ts'
import { filledStore, temporaryFolder } from '../testing/place.ts'
import { run } from '../testing/run.ts'

const folder = temporaryFolder()
const usage = exitCodes.usage.code

test.each(['store', 'config', 'server', 'tenant'])(
  'an empty --%s means nothing, and nothing is done',
  async (name) => {
    const env = { HOLDFAST_STORE: join(folder, 'kept.db') }
    const id = await filledStore(
      env.HOLDFAST_STORE,
      async ({ sessions }) => (await sessions.create({ agentId: 'a' })).id,
    )
    const { code, err } = await run(['prune', `--${name}`, '', '--keep', '0', '--yes'], { env })
    expect(code).toBe(usage)
    expect(err).toContain(`--${name} is empty`)
    expect((await run(['show', id], { env })).code).toBe(0)
  },
)

test('an empty variable is one that is not set', async () => {
  const config = join(folder, 'nowhere')
  const { err } = await run(['sessions'], { env: { HOLDFAST_STORE: '', HOLDFAST_TENANT: '' }, cwd: config })
  expect(err).toContain('/home/somebody/.local/share/holdfast/holdfast.db (default)')
})

test('an empty path is not the folder that one is in', async () => {
  const { code, err } = await run(['import', '', '--store', join(folder, 'imported.db')], { cwd: folder })
  expect(code).toBe(usage)
  expect(err).toContain('A path is empty')
})

test.each([
  ['--port', '99999', '0 to 65535'],
  ['--port', '-1', 'whole number'],
  ['--origin', 'foo', 'https://a.example'],
  ['--origin', 'null', 'https://a.example'],
  ['--origin', '*', 'https://a.example'],
  ['--origin', 'https://a.example/', 'Did you mean https://a.example?'],
  ['--origin', 'https://A.example:443/x', 'Did you mean https://a.example?'],
])('serve %s %s is refused with what would fit', async (option, value, help) => {
  const { code, err } = await run(['serve', `${option}=${value}`, '--store', join(folder, 'served.db')])
  expect(code).toBe(usage)
  expect(err).toContain(help)
})
