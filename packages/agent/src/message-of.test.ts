import { expect, it } from 'vitest'
import { messageOf } from './message-of.ts'

it('what has no text of its own says what it is', () => {
  const failing = {
    toString: () => {
      throw new Error('no')
    },
  }
  expect([Object.create(null), failing].map(messageOf)).toEqual(['[object Object]', '[object Object]'])
})
