import { expect, test } from 'vitest'
import { headOf } from './head.ts'

const head = (text: string) => headOf('file', Buffer.from(text))
const types = (text: string) => {
  const found: (string | undefined)[] = []
  head(text).records.some((shape) => {
    found.push(shape.get('type'))
    return false
  })
  return found
}

test.each([
  ['[{"type":"a"}]', 'array'],
  [' \n\t[1]', 'array'],
  ['\uFEFF[1]', 'array'],
  ['{"type":"a"}\n{"type":"b"}\n', 'lines'],
  ['{"type":"a"} \r\n{"type":"b"}', 'lines'],
  ['{"type":"a"}', 'lines'],
  ['{\n  "type": "a"\n}', 'object'],
  ['\uFEFF \n{ "a": 1,\n"type": "a" }', 'object'],
  ['no JSON at all', 'lines'],
  ['', 'lines'],
] as const)('the layout of %j is %s', (text, layout) => {
  expect(head(text)).toMatchObject({ layout, encoding: 'utf-8', isEmpty: text === '' })
})

test('records are the lines that begin an object or an array, whatever stands before and between them', () => {
  expect(types('\uFEFF{"type":"ä"}\r\n\n  {"type":"b"}\nno\n[{"type":"c"}]\n{"type":"cut o')).toEqual([
    'ä',
    'b',
    undefined,
    'cut o',
  ])
  expect(types('{"n":1}\n'.repeat(60))).toHaveLength(50)
  expect(head(' \n\n').records.isEmpty).toBe(true)
})

test('an object over several lines, and an array, are one record', () => {
  expect(types('\n{\n "type": "a"\n}')).toEqual(['a'])
  expect(head('[{"type":"a"},{"type":"b"}]').records.first?.get('[].type')).toBe('a')
})
