import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exitCodes } from '../exit-codes.ts'
import { filledStore, said, temporaryFolder } from '../testing/place.ts'
import { run } from '../testing/run.ts'

const store = join(temporaryFolder(), 'holdfast.db')

test('a person of whom there is nothing is told as missing', async () => {
  await filledStore(store, async ({ sessions }) => {
    await (await sessions.create({ agentId: 'a', ownerUserId: 'u1' })).append(said('user', 'hello'))
  })
  const erase = (user: string, ...more: string[]) =>
    run(['erase', '--user', user, '--yes', '--store', store, ...more])
  expect(await erase('u7')).toMatchObject({ code: exitCodes.missing.code, out: 'Nothing of u7 was found.\n' })
  const asJson = await erase('u7', '--json')
  expect(asJson.code).toBe(exitCodes.missing.code)
  expect(JSON.parse(asJson.out).data).toMatchObject({ events: 0, sessions: 0, deletedSessions: 0 })
  expect(await erase('u1')).toMatchObject({
    code: 0,
    out: expect.stringContaining('Deleted 1 session whole.'),
  })
})
