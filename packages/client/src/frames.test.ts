import { describe, expect, it } from 'vitest'
import { backOffMs, sleep } from './back-off.ts'
import { readFrames } from './frames.ts'

const text =
  'id: 1\nevent: message.appended\ndata: {"text":"né€😀"}\n\n: still here\n\nid: 2\nevent: x\ndata: 2\n\nid: 3\nev'
const bytes = new TextEncoder().encode(text)

function cutAt(at: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of [bytes.subarray(0, at), bytes.subarray(at)])
        if (part.length > 0) controller.enqueue(part)
      controller.close()
    },
  })
}

describe('frames', () => {
  it('are the same wherever the bytes are cut, and an unfinished one is none', async () => {
    for (let at = 0; at <= bytes.length; at++) {
      const frames = []
      for await (const frame of readFrames(cutAt(at), (reader) => reader.read())) frames.push(frame)
      expect(frames, `cut at ${at}`).toEqual([
        { id: '1', event: 'message.appended', data: '{"text":"né€😀"}' },
        {},
        { id: '2', event: 'x', data: '2' },
      ])
    }
  })
})

describe('waiting', () => {
  it('is twice as long after each try, within bounds, and spread', () => {
    expect([0, 1, 2].map((tries) => backOffMs(tries, () => 1))).toEqual([100, 200, 400])
    expect(backOffMs(50, () => 1)).toBe(5_000)
    expect(backOffMs(0, () => 0)).toBe(50)
  })

  it('ends at once when it is not wanted any more', async () => {
    const stop = new AbortController()
    const waiting = sleep(60_000, stop.signal)
    stop.abort(new Error('no'))
    await expect(waiting).rejects.toThrow('no')
    await expect(sleep(60_000, stop.signal)).rejects.toThrow('no')
  })
})
