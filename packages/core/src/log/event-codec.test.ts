import type { Json } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import type { FoldEvent } from '../session/state.ts'
import { decodeEvent, encodeEvent, wireText } from './event-codec.ts'
import { KnownTexts } from './known-texts.ts'
import type { Upcasters } from './upcast.ts'

const event: FoldEvent = {
  seq: 7,
  type: 'message.appended',
  v: 1,
  at: '2026-01-02T03:04:05.678Z',
  actor: { kind: 'agent', id: 'bob "the" agent' },
  runId: 'run_1',
  roundId: 'round_1',
  data: {
    role: 'assistant',
    parts: [{ type: 'text', text: 'a "quoted" \u2028 text' }],
    phase: 'final_answer',
  },
}

const row = { ...encodeEvent(event), seq: 7, commitId: 'c' }

describe('an event', () => {
  it('is read as it was written', () => {
    expect(decodeEvent(row, {})).toEqual(event)
  })

  it('is sent as its stored text with the four outer fields before it', () => {
    expect(JSON.parse(wireText(row, {}))).toEqual(event)
    expect(wireText(row, {}).endsWith(row.body.slice(1))).toBe(true)
  })

  it('reads the same when its large field was written out before', () => {
    const texts = new KnownTexts()
    const { parts } = event.data as { parts: Json }
    texts.remember(parts, JSON.stringify(parts))
    expect(JSON.parse(encodeEvent(event, texts).body)).toEqual(JSON.parse(row.body))
    const bare = encodeEvent({ ...event, data: { parts } }, texts)
    expect(JSON.parse(bare.body).data).toEqual({ parts })
  })

  it('is reported as corrupt when its body is no event', () => {
    for (const body of ['{"data":', '[]', 'null', '{}']) {
      expect(() => decodeEvent({ ...row, body }, {})).toThrow(
        expect.objectContaining({ code: 'store_corrupt' }),
      )
    }
  })
})

describe('an upcaster', () => {
  const table: Upcasters = {
    'message.appended': {
      1: (data) => ({ ...(data as object), second: true }),
      2: (data) => ({ ...(data as object), third: true }),
    },
    'note.added': {
      1: () => {
        throw new Error('no')
      },
    },
  }

  it('brings old data up through every version when it is read or sent', () => {
    const upcasted = { ...event, v: 3, data: { ...(event.data as object), second: true, third: true } }
    expect(decodeEvent(row, table)).toEqual(upcasted)
    expect(JSON.parse(wireText(row, table))).toEqual(upcasted)
  })

  it('begins at the version of the event', () => {
    expect(decodeEvent({ ...row, v: 2 }, table).data).not.toHaveProperty('second')
    expect(decodeEvent({ ...row, v: 3 }, table).data).toEqual(event.data)
  })

  it('leaves other types and erased events alone', () => {
    expect(decodeEvent({ ...row, type: 'toString' }, table).data).toEqual(event.data)
    const erased = encodeEvent({ ...event, data: { erased: true } })
    expect(decodeEvent({ ...row, body: erased.body }, table)).toMatchObject({ v: 1, data: { erased: true } })
  })

  it('that throws makes the event corrupt, not absent', () => {
    const note = { ...row, type: 'note.added' }
    expect(() => decodeEvent(note, table)).toThrow(expect.objectContaining({ code: 'store_corrupt' }))
  })
})
