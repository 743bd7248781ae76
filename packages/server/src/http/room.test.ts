import { describe, expect, it } from 'vitest'
import { Room } from './room.ts'

const { signal } = new AbortController()

/** Whether it is given once all that can happen now has happened. */
async function isGiven(taking: Promise<unknown>): Promise<boolean> {
  const given = taking.then(() => true)
  const pause = new Promise<false>((resolve) => setImmediate(resolve, false))
  return Promise.race([given, pause])
}

describe('room', () => {
  it('is given while there is some, then in the order of asking, the small not before the large', async () => {
    const room = new Room(10, 60_000)
    const first = await room.take(6, signal)
    const second = await room.take(4, signal)
    const large = room.take(10, signal)
    const small = room.take(1, signal)
    second()
    expect(await isGiven(large)).toBe(false)
    expect(await isGiven(small)).toBe(false)
    first()
    expect(await isGiven(large)).toBe(true)
    expect(await isGiven(small)).toBe(false)
    ;(await large)()
    expect(await isGiven(small)).toBe(true)
  })

  it('that nobody gives back in time is refused, and whoever waited behind has its turn', async () => {
    const room = new Room(10, 20)
    const held = await room.take(6, signal)
    const large = room.take(8, signal)
    const small = room.take(4, signal)
    await expect(large).rejects.toMatchObject({ code: 'server_busy', retry: 'later' })
    ;(await small)()
    held()
    expect(await isGiven(room.take(10, signal))).toBe(true)
  })

  it('is not kept for who has gone', async () => {
    const room = new Room(10, 60_000)
    const held = await room.take(10, signal)
    const leaving = new AbortController()
    const gone = room.take(10, leaving.signal)
    const next = room.take(10, signal)
    leaving.abort(new Error('gone'))
    await expect(gone).rejects.toThrow('gone')
    await expect(room.take(10, leaving.signal)).rejects.toThrow('gone')
    held()
    expect(await isGiven(next)).toBe(true)
  })
})
