/** Input that is refused while nobody listens. */
import { setTimeout as after } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { defineAgent } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { scripted } from './support/script.ts'

/** In place of the test runner, while something is done. */
async function uncaughtIn(work: () => unknown): Promise<unknown[]> {
  const others = process.listeners('unhandledRejection')
  const reasons: unknown[] = []
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', (reason) => reasons.push(reason))
  await work()
  await after(50)
  process.removeAllListeners('unhandledRejection')
  for (const other of others) process.on('unhandledRejection', other)
  return reasons
}

it('what is refused is told to who asks, and ends no process where nobody does', async () => {
  const model = scripted(() => ({ text: 'Done.' }))
  const { agents } = await started(newPlace(), { agents: [defineAgent({ id: 'a', model })] })
  const session = await agents.create({ agentId: 'a' })
  await session.log.close()
  const asked = () => [
    session.send('hello'),
    session.answer('nosuch', 'yes'),
    session.pursue(),
    session.resume(),
  ]
  expect(await uncaughtIn(asked)).toEqual([])
  for (const turn of asked()) await expect(turn.accepted()).rejects.toHaveProperty('code')
  for (const turn of asked()) await expect(turn.result).rejects.toHaveProperty('code')
  for (const turn of asked()) await expect(turn[Symbol.asyncIterator]().next()).rejects.toHaveProperty('code')
})
