import { type Holdfast, openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { KeptPrompts } from './kept-prompts.ts'

const count = (text: string): number => text.length
let holdfast: Holdfast

beforeEach(async () => {
  holdfast = await openHoldfast({ store: memory() })
})
afterEach(() => holdfast.close())

/** A session in which something was said, and answered. */
async function talk(id: string, words: string, of = holdfast) {
  const session = await of.sessions.create({ id, agentId: 'agent' })
  const said = (role: 'user' | 'assistant') => ({ role, parts: [{ type: 'text' as const, text: words }] })
  await session.append([said('user'), said('assistant'), said('user'), said('assistant')])
  return of.sessions.at(id)
}

it('sessions of one id in two tenants have nothing of each other', async () => {
  const prompts = new KeptPrompts()
  const other = holdfast.forTenant('other')
  const [mine, theirs] = [await talk('s', 'mine'), await talk('s', 'theirs', other)]
  await prompts.of(holdfast.tenantId, mine, count).read()
  const { prompt } = await prompts.of(other.tenantId, theirs, count).read()
  expect(JSON.stringify(prompt)).toContain('theirs')
  expect(JSON.stringify(prompt)).not.toContain('mine')
})

it('no more is kept than there is room for; the oldest goes first, and the newest stays whatever its size', async () => {
  const prompts = new KeptPrompts(5_000)
  const sessions = [
    await talk('a', 'x'.repeat(600)),
    await talk('b', 'x'.repeat(600)),
    await talk('c', 'x'.repeat(9_000)),
  ]
  const used = []
  for (const session of sessions) {
    const prompt = prompts.of(holdfast.tenantId, session, count)
    await prompt.read()
    used.push(prompt)
  }
  expect(prompts.size).toBe(3)
  const [a, , c] = sessions as [(typeof sessions)[0], (typeof sessions)[0], (typeof sessions)[0]]
  expect(prompts.of(holdfast.tenantId, c, count)).toBe(used[2])
  expect(prompts.size).toBe(1)
  expect(prompts.of(holdfast.tenantId, a, count)).not.toBe(used[0])
})

it('the prompt of a session is kept from one turn to the next, until many others were worked on', () => {
  const prompts = new KeptPrompts()
  const of = (id: string) => prompts.of(holdfast.tenantId, holdfast.sessions.at(id), count)
  const first = of('first')
  expect(of('first')).toBe(first)
  for (let other = 0; other < 63; other++) of(`other-${other}`)
  expect(of('first')).toBe(first)
  for (let other = 0; other < 64; other++) of(`other-${other}`)
  expect(of('first')).not.toBe(first)
})

it('what was erased is not kept', async () => {
  const prompts = new KeptPrompts()
  const session = await talk('s', 'secret')
  const prompt = prompts.of(holdfast.tenantId, session, count)
  expect(JSON.stringify((await prompt.read()).prompt)).toContain('secret')
  const seqs = (await session.events()).events.flatMap(({ seq, type }) =>
    type === 'message.appended' ? [seq] : [],
  )
  await holdfast.sessions.erase('s', seqs)
  expect(JSON.stringify((await prompt.read()).prompt)).not.toContain('secret')
})
