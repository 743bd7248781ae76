/** Live readers of one session's stream, who do as little as they can: they count events and look when each was sent. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Place, requestOf } from '../http/connection.ts'
import { help } from '../lib/helper.ts'

export interface FollowersJob {
  place: Place
  paths: readonly string[]
  count: number
  /** They read nothing but the first bytes. */
  stalled?: true
}

/** So many events of each follower, from now on, are waited for. */
export type Expected = number

export interface Delivered {
  /** Of each delivery, in milliseconds: from the append's sending to the follower's reading. */
  delays: Float64Array
}

const frameEnd = Buffer.from('\n\n')
const mark = Buffer.from('@t')
/** Opened at once; a listener's backlog is short. */
const atOnce = 100

class Follower {
  readonly #onEvent: (sentAt: number) => void
  #rest: Buffer | undefined

  constructor(socket: Socket, onEvent: (sentAt: number) => void) {
    this.#onEvent = onEvent
    socket.on('data', (chunk) => this.#take(chunk))
  }

  #take(chunk: Buffer): void {
    const all = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk
    let start = 0
    for (let end = all.indexOf(frameEnd); end >= 0; end = all.indexOf(frameEnd, start)) {
      const at = all.indexOf(mark, start)
      if (at >= 0 && at < end) this.#onEvent(Number(all.toString('latin1', at + 2, at + 2 + 17)))
      start = end + 2
    }
    this.#rest = start < all.length ? all.subarray(start) : undefined
  }
}

await help<FollowersJob, true, Expected, Delivered>(async ({ place, paths, count, stalled }) => {
  let delays = new Float64Array(0)
  let seen = 0
  let done: (() => void) | undefined
  const onEvent = (sentAt: number): void => {
    if (seen < delays.length) delays[seen] = performance.timeOrigin + performance.now() - sentAt
    seen += 1
    if (seen === delays.length) done?.()
  }
  const open = async (index: number): Promise<Socket> => {
    const socket = connect({ ...place, noDelay: true })
    await once(socket, 'connect')
    socket.write(requestOf('GET', paths[index % paths.length] ?? '', '', ['accept: text/event-stream']))
    if (stalled) return socket.pause()
    await once(socket, 'data')
    new Follower(socket, onEvent)
    return socket
  }
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const some = Math.min(atOnce, count - sockets.length)
    const first = sockets.length
    sockets.push(...(await Promise.all(Array.from({ length: some }, (_, n) => open(first + n)))))
  }
  return {
    ready: true,
    answer: async (expected) => {
      delays = new Float64Array(expected * sockets.length)
      seen = 0
      await new Promise<void>((resolve) => {
        done = resolve
      })
      return { delays }
    },
    end: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
})
