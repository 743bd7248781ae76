/**
 * A stream that is cut off after any byte, also when the server stops, loses and repeats nothing: the client follows a
 * session whose every connection is cut after a random number of bytes, while it is written to and the server restarts.
 *
 * `npm run prove:cuts -- --cuts 100000 --seed 7`; `--planted` counts a frame as seen whose end was not, and must fail.
 * `--store postgres`: what is followed on one server is written on another, and both restart.
 */
import { join } from 'node:path'
import { createClient } from '@holdfast/client'
import { sqlite } from '@holdfast/core/sqlite'
import { knobs } from './lib/args.ts'
import { temporaryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { summarize } from './lib/summary.ts'
import { oneServer, twoServers } from './lib/two-servers.ts'

const { cuts, seed, store, planted } = knobs({ cuts: 2_000, store: 'sqlite', planted: false })
console.log(
  `cuts: ${cuts} cuts, seed ${seed}, on ${store}${planted ? ', planted: half a frame is taken for seen' : ''}`,
)

const restartEvery = 100
const mostBytes = 6_000
/** More than the most bytes, or a cut would wait for events that nobody writes. */
const messagesACut = 7
const leastLetters = 900
const random = new Random(seed)
const file = join(temporaryFolder(), 'holdfast.db')
const servers = store === 'postgres' ? await twoServers() : await oneServer(sqlite(file, { search: false }))
const { written, followed } = servers
const session = await written.holdfast.sessions.create({ agentId: 'prover' })
const client = createClient({ url: followed.url, fetch: cutFetch, sleep: async () => {} })
const faults = { gaps: 0, repeats: 0, altered: 0 }
const texts = new Map<number, string>()
let made = 0
let restarts = 0

const ended = new AbortController()
let seen = 0
for await (const item of client.sessions.follow(session.id, { signal: ended.signal })) {
  if (item.type !== 'event') continue
  take(item.event.seq, JSON.stringify(item.event))
  if (made >= cuts) ended.abort()
}
await compare()
const delays = await servers.delays?.()
if (delays) {
  const [hinted, unhinted] = [delays.hinted, delays.unhinted].map((ms) => ms.toFixed(0))
  console.log(`seen on the other server after ${hinted} ms (median), ${unhinted} ms when hints are lost`)
}
await servers.close()
summarize({ seed, counted: { cuts: made, restarts, events: texts.size }, faults })

/** Sends the request on, and cuts the answer off. */
async function cutFetch(request: Request): Promise<Response> {
  await turn()
  const cut = new AbortController()
  const response = await fetch(new Request(shifted(request), { signal: cut.signal }))
  let left = 1 + random.below(mostBytes)
  const cutting = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      controller.enqueue(chunk.subarray(0, left))
      left -= chunk.byteLength
      if (left <= 0) {
        cut.abort()
        controller.terminate()
      }
    },
  })
  return new Response(response.body?.pipeThrough(cutting) ?? null, response)
}

/** Before each connection there is something new, and now and then another server. */
async function turn(): Promise<void> {
  made += 1
  if (made % restartEvery === 0) {
    restarts += 1
    await (random.chance(0.5) ? followed : written).restart()
  }
  const messages = Array.from({ length: messagesACut }, () => {
    const text = 'x'.repeat(leastLetters + random.below(leastLetters))
    return { role: 'user' as const, parts: [{ type: 'text' as const, text }] }
  })
  await written.holdfast.sessions.at(session.id).append(messages)
}

function shifted(request: Request): Request {
  const at = Number(request.headers.get('last-event-id'))
  if (!planted || at === 0 || !random.chance(0.1)) return request
  const moved = new Request(request)
  moved.headers.set('last-event-id', String(at + 1))
  return moved
}

function take(seq: number, text: string): void {
  if (seq > seen + 1) faults.gaps += 1
  if (seq <= seen) faults.repeats += 1
  seen = seq
  texts.set(seq, text)
}

/** With what the log itself says. */
async function compare(): Promise<void> {
  for (let after = 0; ; ) {
    const { events, more } = await written.holdfast.sessions.at(session.id).events({ after, limit: 200 })
    for (const event of events) {
      const text = texts.get(event.seq)
      if (text !== undefined && text !== JSON.stringify(event)) faults.altered += 1
    }
    if (!more) return
    after = events.at(-1)?.seq ?? after
  }
}
