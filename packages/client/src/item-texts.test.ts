import { expect, test } from 'vitest'
import { itemTexts } from './item-texts.ts'

test.each([
  [[]],
  [['{}']],
  [['{"a":1.0,"10":[],"9":12345678901234567890}', '{ "deep": [{"x":[[]]}] }']],
  [['{"text":"a \\"quoted\\" } and ] \\\\"}', '{"\\\\\\"]":"{"}']],
])('%j come out of a page as they went in', (items) => {
  expect(itemTexts(`{"data":[${items.join(',')}],"next":"12"}`)).toEqual(items)
  expect(itemTexts(`{"data":[${items.join(', ')}],"next":null}`)).toEqual(items)
})
