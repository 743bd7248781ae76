import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { exitCodes } from '../exit-codes.ts'
import { filledStore, temporaryFolder } from '../testing/place.ts'
import { ctrlC, ctrlD, openTerminal } from '../testing/terminal.ts'

const env = { HOLDFAST_STORE: join(temporaryFolder(), 'holdfast.db') }

beforeAll(() => filledStore(env.HOLDFAST_STORE, ({ sessions }) => sessions.create({ agentId: 'a' })))

test.each([
  ['n', 'n'],
  ['Enter', '\r'],
  ['Ctrl-C', ctrlC],
  ['Ctrl-D', ctrlD],
])('%s is no', async (_key, typed) => {
  const asked = openTerminal(['delete', 'last'], { env })
  await asked.shows(/Delete 1 session/)
  asked.type(typed)
  expect(await asked.ended).toBe(exitCodes.refused.code)
  expect(asked.shown).not.toContain('top-level await')
})
