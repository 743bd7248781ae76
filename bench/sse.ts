/** Live streams: many followers of one session, what an idle one takes, and what those who stand still cost the others. */
import type { Called, CallersJob, Calls } from './child/callers.ts'
import type { Delivered, Expected, FollowersJob } from './child/followers.ts'
import { Connection, requestOf } from './http/connection.ts'
import { Helper } from './lib/helper.ts'
import { median, percentile, type Timing } from './lib/measure.ts'
import { temporaryFolder } from './lib/place.ts'
import { type Server, startServer } from './lib/published-server.ts'
import { rounds, sized } from './lib/size.ts'
import { count, mebibytes, ms, perSecond, section, spread, table } from './lib/table.ts'
import { text } from './lib/text.ts'
import { rateRows, timeHeader } from './lib/timing-rows.ts'

const fanOut = 1_000
const crowd = 10_000
const writers = 16
const eventsFlatOut = 2_000
const eventsPaced = 250
const pacedEveryMs = 20
const stalledReaders = 1_000
const callsARound = 12_000
const historyMessages = 120
const historyBytes = 50_000
const restMs = 500

type Followers = Helper<true, Expected, Delivered>

export async function sse(): Promise<void> {
  for (const measure of [delivered, idle, besideStalled]) {
    const folder = temporaryFolder()
    const server = await startServer(folder)
    await measure(server)
    await server.end()
    folder.remove()
  }
}

function script(name: string): URL {
  return new URL(`./child/${name}.ts`, import.meta.url)
}

async function newSession(connection: Connection): Promise<string> {
  const made = await connection.send(requestOf('POST', '/v1/sessions', '{"agentId":"bench"}'))
  return `/v1/sessions/${JSON.parse(made).id}`
}

function follow(
  server: Server,
  paths: readonly string[],
  followers: number,
  stalled = false,
): Promise<Followers> {
  const job: FollowersJob = {
    place: server.ready,
    paths: paths.map((path) => `${path}/events`),
    count: followers,
    ...(stalled && { stalled }),
  }
  return Helper.start(script('followers'), job)
}

/** A message that says when it was sent. */
function stamped(path: string): Buffer {
  const at = (performance.timeOrigin + performance.now()).toFixed(3)
  const body = JSON.stringify({ role: 'user', parts: [{ type: 'text', text: `@t${at} hello` }] })
  return requestOf('POST', `${path}/messages`, body)
}

async function delivered(server: Server): Promise<void> {
  const followers = sized(fanOut)
  const connections = await Promise.all(Array.from({ length: writers }, () => Connection.open(server.ready)))
  const [first] = connections as [Connection]
  const path = await newSession(first)
  const readers = await follow(server, [path], followers)
  const rates: number[] = []
  const paced: { p50: number; p99: number; loop: number }[] = []
  for (let round = -1; round < rounds; round++) {
    const rate = await flatOut(connections, path, readers, sized(eventsFlatOut))
    await server.ask('measure')
    const delays = await inTime(first, path, readers, sized(eventsPaced))
    const loop = (await server.ask('fared')).loopP99
    if (round < 0) continue
    rates.push(rate)
    paced.push({ p50: percentile(delays, 0.5), p99: percentile(delays, 0.99), loop })
  }
  await readers.end()
  for (const connection of connections) connection.close()
  const of = (pick: (round: (typeof paced)[number]) => number) => paced.map(pick)
  const row = (name: string, values: readonly number[], unit: (value: number) => string) => [
    name,
    unit(median(values)),
    spread(values, unit),
  ]
  section(
    `${count(followers)} followers of one session`,
    table(
      ['', 'median', 'rounds'],
      [
        row(`deliveries, ${writers} connections append`, rates, perSecond),
        row(
          'delay at 50 events a second, p50',
          of(({ p50 }) => p50),
          ms,
        ),
        row(
          'delay at 50 events a second, p99',
          of(({ p99 }) => p99),
          ms,
        ),
        row(
          'event loop of the server then, p99',
          of(({ loop }) => loop),
          ms,
        ),
      ],
    ),
    'Delay: from the sending of the append to the reading by the follower, so with the commit and its sync. Who reads is one process, whose own turn is in it. Target: 100,000/s, p99 at most 20 ms, event loop p99 at most 10 ms.',
  )
}

async function flatOut(
  connections: readonly Connection[],
  path: string,
  readers: Followers,
  events: number,
): Promise<number> {
  const begun = performance.now()
  const all = readers.ask(events)
  let sent = 0
  await Promise.all(
    connections.map(async (connection) => {
      while (sent++ < events) await connection.send(stamped(path))
    }),
  )
  const { delays } = await all
  return (delays.length * 1_000) / (performance.now() - begun)
}

async function inTime(
  connection: Connection,
  path: string,
  readers: Followers,
  events: number,
): Promise<number[]> {
  const all = readers.ask(events)
  for (let n = 0; n < events; n++) {
    const next = performance.now() + pacedEveryMs
    await connection.send(stamped(path))
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())))
  }
  return [...(await all).delays]
}

async function idle(server: Server): Promise<void> {
  const connection = await Connection.open(server.ready)
  const path = await newSession(connection)
  connection.close()
  const before = await server.ask('fared')
  const readers = await follow(server, [path], sized(crowd))
  const after = await server.ask('fared')
  await readers.end()
  section(
    `${count(after.followers)} followers who wait`,
    table(
      ['', 'resident'],
      [
        ['before they came', mebibytes(before.memory)],
        ['with all of them', mebibytes(after.memory)],
      ],
    ),
    'Of the whole server. Target: 300 MB.',
  )
}

/** More than the system keeps for a connection on its way, so that who takes nothing stands still at once. */
async function fill(connection: Connection, path: string): Promise<void> {
  const body = JSON.stringify({
    role: 'user',
    parts: [{ type: 'text', text: 'x'.repeat(historyBytes) }],
  })
  for (let n = 0; n < sized(historyMessages); n++) {
    await connection.send(requestOf('POST', `${path}/messages`, body))
  }
}

/** Until the server has nothing to do. */
async function atRest(server: Server): Promise<void> {
  let { cpuMs } = await server.ask('fared')
  for (let isBusy = true; isBusy; ) {
    await new Promise((resolve) => setTimeout(resolve, restMs))
    const now = await server.ask('fared')
    isBusy = now.cpuMs - cpuMs > restMs / 10
    cpuMs = now.cpuMs
  }
}

async function besideStalled(server: Server): Promise<void> {
  const connection = await Connection.open(server.ready)
  const paths: string[] = []
  while (paths.length < 2 * writers) paths.push(await newSession(connection))
  const body = JSON.stringify({ role: 'user', parts: [{ type: 'text', text: text(1) }] })
  const callersOf = (some: readonly string[]): Promise<Helper<true, Calls, Called>> => {
    const job: CallersJob = { place: server.ready, paths: some.map((path) => `${path}/messages`), body }
    return Helper.start(script('callers'), job)
  }
  const watched = paths.slice(writers)
  for (const path of watched) await fill(connection, path)
  connection.close()
  const contenders = [
    { name: 'nobody follows', callers: await callersOf(paths.slice(0, writers)) },
    { name: `${count(sized(stalledReaders))} who stand still follow`, callers: await callersOf(watched) },
  ].map((each) => ({ ...each, timing: { name: each.name, perPiece: [] } as Timing }))
  const readers = await follow(server, watched, sized(stalledReaders), true)
  await atRest(server)
  for (const { callers } of contenders) await callers.ask(sized(callsARound))
  for (let round = 0; round < rounds; round++) {
    for (const { callers, timing } of contenders) {
      const called = await callers.ask(sized(callsARound))
      timing.perPiece.push(called.ms / called.waits.length)
    }
  }
  const { memory } = await server.ask('fared')
  await readers.end()
  for (const { callers } of contenders) await callers.end()
  section(
    'Appends while others stand still',
    table(timeHeader, rateRows(contenders.map(({ timing }) => timing))),
    `Durable appends from ${writers} connections to as many sessions; in the second row followed by readers who take nothing. The server then takes ${mebibytes(memory)}. Target: at least 0.95x.`,
  )
}
