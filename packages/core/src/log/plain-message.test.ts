import { messageInput } from '@holdfast/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { plainMessage } from './plain-message.ts'

const text = { type: 'text', text: 'hello' } as const

it('is what a role and texts are', () => {
  const message = { role: 'user', parts: [text, { text: '', type: 'text' }] }
  const plain = plainMessage(message)
  expect(plain).toEqual({ role: 'user', parts: [text, { type: 'text', text: '' }] })
  expect(plain?.parts[0]).not.toBe(text)
})

const made = Object.assign(Object.create({ id: 'm1' }), { role: 'user', parts: [text] })
const sparse = [text]
sparse.length = 2

it.each([
  ['no object', 'hello'],
  ['nothing', null],
  ['another role', { role: 'robot', parts: [text] }],
  ['no parts', { role: 'user', parts: [] }],
  ['a hole', { role: 'user', parts: sparse }],
  ['another key', { role: 'user', parts: [text], id: 'm1' }],
  ['a key that is undefined', { role: 'user', parts: [text], id: undefined }],
  ['a part with another key', { role: 'user', parts: [{ ...text, provider: {} }] }],
  ['another part', { role: 'user', parts: [{ type: 'reasoning', text: 'so' }] }],
  ['a text that is none', { role: 'user', parts: [{ type: 'text', text: 1 }] }],
  ['a list for a part', { role: 'user', parts: [[]] }],
  ['an object of a class', made],
  [
    'a key that is not enumerable',
    Object.defineProperty({ role: 'user', parts: [text] }, 'id', { value: 'm1' }),
  ],
])('leaves %s to the schema', (_, value) => {
  expect(plainMessage(value)).toBeUndefined()
})

it('reads the parts that the list has, not those that it says it has', () => {
  const parts = Object.assign([text], { [Symbol.iterator]: () => [text, text][Symbol.iterator]() })
  expect(plainMessage({ role: 'user', parts })?.parts).toEqual([text])
})

it('says of a message what the schema says', () => {
  const whole = { noNullPrototype: true }
  const part = fc.record({ type: fc.constant('text'), text: fc.string({ unit: 'binary' }) }, whole)
  const parts = fc.array(part, { minLength: 1, maxLength: 4 })
  const from = fc.constantFrom('system', 'user', 'assistant', 'tool')
  const change = fc.tuple(fc.constantFrom('role', 'parts', 'id', 'type', 'text', 'provider'), fc.jsonValue())
  let plain = 0
  fc.assert(
    fc.property(fc.record({ role: from, parts }, whole), fc.option(change), (message, changed) => {
      const value = changed ? withChange(message, changed) : message
      const found = plainMessage(value)
      if (found === undefined) return
      plain += 1
      const judged = messageInput.safeParse(value)
      expect(judged.success).toBe(true)
      expect(JSON.stringify(found)).toBe(JSON.stringify(judged.data))
    }),
    { numRuns: 2_000 },
  )
  expect(plain).toBeGreaterThan(200)
})

type Given = { role: string; parts: { type: string; text: string }[] }

/** Another value under a key of the message, or of its first part. */
function withChange({ role, parts: [first, ...others] }: Given, [key, value]: [string, unknown]): unknown {
  const isOfPart = ['type', 'text', 'provider'].includes(key)
  const parts = [isOfPart ? { ...first, [key]: value } : first, ...others]
  return isOfPart ? { role, parts } : { role, parts, [key]: value }
}
