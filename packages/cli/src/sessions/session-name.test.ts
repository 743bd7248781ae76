import { openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { expect, test } from 'vitest'
import { sessionName } from './session-name.ts'

test('a session without a title is called by the first words of a user, not by those of the agent itself', async () => {
  const holdfast = await openHoldfast({ store: memory() })
  const session = await holdfast.sessions.create({ agentId: 'scribe' })
  const say = (text: string, author?: string) =>
    session.append({ role: 'user', parts: [{ type: 'text', text }], ...(author && { author }) })
  await say('<task-notification>done</task-notification>', 'scribe')
  expect(await sessionName(holdfast, await session.view())).toBe('scribe')
  await say('Write a haiku.')
  expect(await sessionName(holdfast, await session.view())).toBe('Write a haiku.')
  await holdfast.close()
})

test('a session that does not say who its agent speaks as is called by what nobody signed', async () => {
  const holdfast = await openHoldfast({ store: memory() })
  const session = await holdfast.sessions.create({ agentId: 'scribe' })
  await session.append({ role: 'user', parts: [{ type: 'text', text: 'Write a haiku.' }] })
  const { id, agentName } = await session.view()
  expect(await sessionName(holdfast, { id, agentName })).toBe('Write a haiku.')
  await holdfast.close()
})
