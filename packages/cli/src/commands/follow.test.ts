import { join } from 'node:path'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { expect, test } from 'vitest'
import { said, temporaryFolder } from '../testing/place.ts'
import { started } from '../testing/program.ts'

const folder = temporaryFolder()

test('a session of a store is followed until Ctrl-C, with what another process writes', async () => {
  const store = join(folder, 'followed.db')
  await using holdfast = await openHoldfast({ store: sqlite(store) })
  const session = await holdfast.sessions.create({ agentId: 'a' })
  await session.append(said('user', 'written before'))
  const following = started(['follow', session.id, '--store', store])
  await following.says('written before')
  await new Promise((resolve) => setTimeout(resolve, 300))
  await session.append(said('user', 'written meanwhile'))
  await following.says('written meanwhile')
  following.child.kill('SIGINT')
  const { code, err } = await following.ended
  expect(code).toBe(0)
  expect(err).not.toContain('top-level await')
})
