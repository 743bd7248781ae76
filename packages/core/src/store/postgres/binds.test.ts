import { expect, it } from 'vitest'
import { Binds } from './binds.ts'

it('a message says its length, the form of each value and the values', () => {
  const binds = new Binds()
  const message = binds.message('s1', ['é', null, undefined, 7, true, Uint8Array.of(1, 0)], false)
  const values = [
    [0, 0, 0, 2, 0xc3, 0xa9],
    [255, 255, 255, 255],
    [255, 255, 255, 255],
    [0, 0, 0, 1, 0x37],
    [0, 0, 0, 4, ...Buffer.from('true')],
    [0, 0, 0, 2, 1, 0],
  ]
  const formats = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
  const body = [0, ...Buffer.from('s1\0'), 0, 6, ...formats, 0, 6, ...values.flat(), 0, 0]
  const bind = [...Buffer.from('B'), 0, 0, 0, body.length + 4, ...body]
  expect([...message]).toEqual([...bind, ...Buffer.from('E'), 0, 0, 0, 9, 0, 0, 0, 0, 0])
})

it('the last message is followed by Sync', () => {
  const messages = [false, true].map((isLast) => [...new Binds().message('', [], isLast)])
  expect(messages[1]).toEqual([...(messages[0] ?? []), ...Buffer.from('S'), 0, 0, 0, 4])
})

it('messages of one flush keep their bytes while the room grows', () => {
  const binds = new Binds()
  const texts = ['a', 'b'.repeat(10_000), 'c', 'd'.repeat(3_000_000), 'e']
  const messages = texts.map((text) => binds.message('', [text], false))
  for (const [n, text] of texts.entries()) expect(messages[n]?.includes(`${text}\0`)).toBe(true)
})

it('the room is used again, and is let go when it is large', () => {
  const binds = new Binds()
  const roomOf = (text: string) => {
    binds.begin()
    return binds.message('', [text], true).buffer
  }
  const room = roomOf('a'.repeat(100_000))
  expect(roomOf('b'.repeat(90_000))).toBe(room)
  const large = roomOf('c'.repeat(2_000_000))
  expect(roomOf('d')).not.toBe(large)
})
