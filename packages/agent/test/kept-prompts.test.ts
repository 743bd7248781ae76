import { expect, it } from 'vitest'
import { KeptPrompts } from '../src/context/kept-prompts.ts'
import { newPlace, started } from './support/place.ts'

it('the prompt of a session is kept from one turn to the next, until many others were worked on', async () => {
  const { holdfast } = await started(newPlace(), { agents: [] })
  const prompts = new KeptPrompts()
  const of = (id: string) => prompts.of(holdfast.sessions.at(id), (text) => text.length)
  const first = of('first')
  expect(of('first')).toBe(first)
  for (let other = 0; other < 63; other++) of(`other-${other}`)
  expect(of('first')).toBe(first)
  for (let other = 0; other < 64; other++) of(`other-${other}`)
  expect(of('first')).not.toBe(first)
})
