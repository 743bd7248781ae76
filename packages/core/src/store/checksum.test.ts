import { expect, it } from 'vitest'
import { crcFrom, crcOfEvent, crcOfRow } from './checksum.ts'

const long = 'a row says a lot '.repeat(20)
const row = ['id', 7, null, '', 2 ** 41 + 3, long]

const changes: [string, (string | number | null)[]][] = [
  ['a letter', ['ie', 7, null, '', 2 ** 41 + 3, long]],
  ['a number', ['id', 8, null, '', 2 ** 41 + 3, long]],
  ['the high bits of a number', ['id', 7, null, '', 2 ** 42 + 3, long]],
  ['a letter of a long text', ['id', 7, null, '', 2 ** 41 + 3, long.replace('lot', 'lit')]],
  ['nothing for an empty text', ['id', 7, null, null, 2 ** 41 + 3, long]],
  ['zero for nothing', ['id', 7, 0, '', 2 ** 41 + 3, long]],
  ['a letter that moved to the next column', ['i', 'd', 7, null, '', 2 ** 41 + 3, long]],
  ['two columns that changed places', [7, 'id', null, '', 2 ** 41 + 3, long]],
  ['the top bit of two neighbours', ['id', 7 + 2 ** 31, null, '', 2 ** 41 + 3 + 2 ** 31, long]],
]

it.each(changes)('the checksum of a row shows %s', (_, changed) => {
  expect(crcOfRow(...changed)).not.toBe(crcOfRow(...row))
})

it('bytes in the place of a text have another checksum, and are no failure', () => {
  const bytes = new Uint8Array([105, 100]) as never
  expect(crcOfRow(bytes)).not.toBe(crcOfRow('id'))
  const event = { type: 'note.added', v: 1, at: '2026-01-01T00:00:00.000Z', body: '{}' }
  for (const name of ['type', 'at'])
    expect(crcOfEvent(1, 'c', { ...event, [name]: bytes })).not.toBe(crcOfEvent(1, 'c', event))
  expect(crcOfEvent(1, bytes, event)).not.toBe(crcOfEvent(1, 'id', event))
})

it('the checksum of a row shows every bit of a number', () => {
  const bits = Array.from({ length: 52 }, (_, bit) => crcOfRow('s', 2 ** bit, 'after'))
  expect(new Set(bits).size).toBe(52)
})

it('a part of a row has the checksum that these values have alone, on what came before', () => {
  const names = crcOfRow(1, 'session')
  expect(crcFrom(names, ['x', 'y', 3, 'z'], 1, 3)).toBe(crcFrom(names, ['y', 3]))
  expect(crcFrom(names, ['y', 3])).not.toBe(crcFrom(crcOfRow(2, 'session'), ['y', 3]))
  expect(crcFrom(names, ['y', 3])).toBe(crcOfRow(1, 'session', 'y', 3))
})
