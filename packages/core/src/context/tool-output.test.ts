import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compactOversizedToolMessages,
  excerpt,
  oversized,
  shortenOutput,
  shortenText,
} from './tool-output.ts'

const KiB = 1024
const bytes = (text: string) => Buffer.byteLength(text)
const texts = fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', '\n', '\ud800'), maxLength: 400 })
const small = { aboveBytes: 300, headBytes: 80, tailBytes: 40 }

describe('a text', () => {
  test('of exactly the limit is kept as it is; one byte more is shortened', () => {
    const whole = 'x'.repeat(256 * KiB)
    expect(shortenText(whole)).toBe(whole)
    const short = shortenText(`${whole}y`)
    expect(short.startsWith('x'.repeat(160 * KiB))).toBe(true)
    expect(short.endsWith(`${'x'.repeat(64 * KiB - 1)}y`)).toBe(true)
  })

  test('says how much it had, lost and kept', () => {
    expect(shortenText('x'.repeat(300 * KiB))).toContain(
      `\n[${76 * KiB} bytes omitted: the output had ${300 * KiB} bytes, ${224 * KiB} are kept]\n`,
    )
  })

  test.each(['é', '€', '😀'])('of %s is measured in bytes and cut between characters', (character) => {
    const text = `a${character.repeat(256 * KiB)}`
    const short = shortenText(text)
    expect(short.isWellFormed()).toBe(true)
    const [head = '', , tail = ''] = short.split('\n')
    expect(bytes(head)).toBeLessThanOrEqual(160 * KiB)
    expect(bytes(head)).toBeGreaterThan(160 * KiB - 4)
    expect(bytes(tail)).toBeGreaterThan(64 * KiB - 4)
    expect(text.startsWith(head) && text.endsWith(tail)).toBe(true)
  })

  test('shortened twice is as shortened once, and keeps its ends, whatever it is made of', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const short = shortenText(text, small)
        expect(shortenText(short, small)).toBe(short)
        if (bytes(text) <= small.aboveBytes) expect(short).toBe(text)
        else expect(bytes(short)).toBeLessThanOrEqual(small.aboveBytes)
        if (text.isWellFormed()) expect(short.isWellFormed()).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

test.each([oversized, excerpt])(
  'what is kept and the marker lie below the limit: %j',
  ({ aboveBytes, headBytes, tailBytes }) => {
    expect(headBytes + tailBytes + 200).toBeLessThan(aboveBytes)
  },
)

test('an output that is no text is shortened as its JSON text, and kept as it is when small', () => {
  const small = { rows: [1, 2] }
  expect(shortenOutput(small)).toBe(small)
  const short = shortenOutput({ rows: ['x'.repeat(300 * KiB)] })
  expect(short).toMatch(/^\{"rows":\["xxx/)
  expect(shortenOutput(short)).toBe(short)
})

test('only tool results are touched, and only the messages that change are new', () => {
  const big = 'x'.repeat(300 * KiB)
  const fields = { seq: 1, at: '2026-01-01T00:00:00Z' }
  const user = { ...fields, id: 'u', role: 'user' as const, parts: [{ type: 'text' as const, text: big }] }
  const tool = (id: string, output: string) => ({
    ...fields,
    id,
    role: 'tool' as const,
    parts: [{ type: 'tool_result' as const, callId: 'c', output, outcome: 'ok' as const }],
  })
  const before = [user, tool('t1', big), tool('t2', 'small')]
  const { messages, changed } = compactOversizedToolMessages(before)
  expect(changed).toBe(1)
  expect(messages.map((message, i) => message === before[i])).toEqual([true, false, true])
})
