import { expect, it } from 'vitest'
import { rangeOf } from './range.ts'

const tag = '"h"'

function ofTen(range: string, more: Record<string, string> = {}): readonly [number, number] | undefined {
  const found = rangeOf(new Headers({ range, ...more }), 10, tag)
  return found && [found.offset, found.length]
}

it.each([
  ['bytes=0-0', [0, 1]],
  ['bytes=2-5', [2, 4]],
  ['bytes=2-', [2, 8]],
  ['bytes=2-99', [2, 8]],
  ['bytes=-3', [7, 3]],
  ['bytes=-99', [0, 10]],
  ['Bytes=9-9', [9, 1]],
] as const)('%s of ten bytes', (range, part) => {
  expect(ofTen(range)).toEqual(part)
})

it.each(['bytes=5-2', 'bytes=-', 'bytes=1-2,4-5', 'bytes=a-b', 'lines=0-1', ''])(
  'the whole is sent for %j',
  (range) => {
    expect(ofTen(range)).toBeUndefined()
  },
)

it('the whole is sent when none is asked for, or of another version', () => {
  expect(rangeOf(new Headers(), 10, tag)).toBeUndefined()
  expect(ofTen('bytes=0-0', { 'if-range': '"other"' })).toBeUndefined()
  expect(ofTen('bytes=0-0', { 'if-range': tag })).toEqual([0, 1])
})

it.each(['bytes=10-', 'bytes=99-100', 'bytes=-0'])('%s is past the end', (range) => {
  const past = expect.objectContaining({ code: 'range_not_satisfiable', details: { size: 10 } })
  expect(() => ofTen(range)).toThrow(past)
})

it('the last bytes of nothing are nothing', () => {
  expect(rangeOf(new Headers({ range: 'bytes=-3' }), 0, tag)).toBeUndefined()
})
