import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { FollowedEvent } from '@holdfast/core'
import { expect, it } from 'vitest'
import { serverLimits } from '../limits.ts'
import { HeldClock } from '../testing/each-server.ts'
import { EventStream } from './event-stream.ts'
import { Followers } from './followers.ts'
import { Frames } from './frames.ts'

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 20))

it('a batch whose bytes wait for their reader is not kept beside them', async () => {
  const given: WeakRef<object>[] = []
  const batch = () => {
    const text = `"${'x'.repeat(serverLimits.streamBytes / 4)}"`
    const items = [1, 2, 3].map((seq) => new FollowedEvent(seq, 'note.added', text))
    given.push(new WeakRef(items), ...items.map((item) => new WeakRef(item)))
    return items
  }
  const batches = {
    next: async () => ({ done: false as const, value: batch() }),
    [Symbol.asyncIterator]: () => batches,
  }
  const followers = new Followers({ heartbeatMs: 60_000, stallMs: 60_000, clock: new HeldClock().now })
  const stream = new EventStream({
    follow: () => batches,
    isWanted: () => true,
    frames: new Frames(),
    followers,
    requestId: 'r',
  })
  let bytes = 0
  let take = (): void => undefined
  const sink = {
    write: (chunk: Uint8Array) => {
      bytes += chunk.byteLength
      return new Promise<void>((resolve) => {
        take = resolve
      })
    },
    release: () => take(),
    end: () => undefined,
    breakOff: () => undefined,
  }
  const over = stream.sendTo(sink)
  await settled()
  expect(bytes).toBeGreaterThan(serverLimits.streamBytes / 2)
  collectGarbage()
  expect(given.map((ref) => ref.deref())).toEqual(given.map(() => undefined))
  stream.leave()
  take()
  await over
  expect(followers.size).toBe(0)
})
