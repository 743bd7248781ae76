import { limits, utf8Bytes } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { interruptedParts } from './draft-end.ts'

const chunkChars = limits.draftChunkBytes / 3

describe('the parts of an interrupted message', () => {
  it('join neighbours of one kind, and are none without text', () => {
    expect(interruptedParts([])).toEqual([])
    const pieces = ['text', 'text', 'reasoning', 'text'].map((kind, n) => ({ kind, text: `${n}` }))
    expect(interruptedParts(pieces as never)).toEqual([
      { type: 'text', text: '01' },
      { type: 'reasoning', text: '2' },
      { type: 'text', text: '3' },
    ])
  })

  it('hold as much as one event may, however the text grows as JSON, and count what was cut', () => {
    for (const character of ['a', '"', '\u0001', '中']) {
      const text = character.repeat(chunkChars)
      const count = Math.ceil(limits.draftBytes / utf8Bytes(text))
      const parts = interruptedParts(Array.from({ length: count }, () => ({ kind: 'text', text })))
      const bytes = utf8Bytes(JSON.stringify(parts))
      expect(bytes).toBeLessThan(limits.eventBytes)
      const [kept, marker] = parts as { text: string }[]
      const cut = count * utf8Bytes(text) - utf8Bytes(kept?.text ?? '')
      expect(marker?.text).toBe(cut > 0 ? `[cut: ${cut} bytes of the interrupted text]` : undefined)
      if (cut > 0) expect(bytes).toBeGreaterThan(limits.eventBytes - 1024 * 1024)
    }
  })

  it('are no more than a message may have', () => {
    const pieces = Array.from({ length: 2 * limits.messageParts }, (_, n) => ({
      kind: n % 2 ? ('text' as const) : ('reasoning' as const),
      text: 'x',
    }))
    const parts = interruptedParts(pieces)
    expect(parts).toHaveLength(limits.messageParts)
    expect(parts.at(-1)).toEqual({
      type: 'text',
      text: `[cut: ${limits.messageParts + 1} bytes of the interrupted text]`,
    })
  })
})
