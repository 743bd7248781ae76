/** Durable appends over HTTP from 64 connections, beside a bare server that only parses and writes the same JSON. */
import type { Called, CallersJob, Calls } from './child/callers.ts'
import { Connection, type Place, requestOf } from './http/connection.ts'
import { Helper } from './lib/helper.ts'
import { median, percentile, type Timing } from './lib/measure.ts'
import { temporaryFolder } from './lib/place.ts'
import { startServer } from './lib/published-server.ts'
import { rounds, sized } from './lib/size.ts'
import { ms, section, table } from './lib/table.ts'
import { text } from './lib/text.ts'
import { rateRows, timeHeader } from './lib/timing-rows.ts'

const connections = 64
const callsARound = 20_000
const body = JSON.stringify({ role: 'user', parts: [{ type: 'text', text: text(1) }] })

type Callers = Helper<true, Calls, Called>
interface Contender {
  name: string
  callers: Callers
  timing: Timing
  waits: number[][]
}

export async function http(): Promise<void> {
  const folder = temporaryFolder()
  const echo = await Helper.start<Place, undefined, undefined>(
    new URL('./child/echo.ts', import.meta.url),
    {},
  )
  const server = await startServer(folder)
  const paths = await sessionPaths(server.ready)
  const contenders = [
    await contender('a bare JSON echo', { place: echo.ready, paths: paths.map(() => '/'), body }),
    await contender('holdfast', { place: server.ready, paths, body }),
  ]
  for (const { callers } of contenders) await callers.ask(sized(callsARound))
  const loops: number[] = []
  for (let round = 0; round < rounds; round++) {
    for (const each of contenders) {
      await server.ask('measure')
      await measure(each)
    }
    loops.push((await server.ask('fared')).loopP99)
  }
  for (const { callers } of contenders) await callers.end()
  await echo.end()
  await server.end()
  folder.remove()
  report(contenders, loops)
}

function script(name: string): URL {
  return new URL(`./child/${name}.ts`, import.meta.url)
}

async function contender(name: string, job: CallersJob): Promise<Contender> {
  const callers = await Helper.start<true, Calls, Called>(script('callers'), job)
  return { name, callers, timing: { name, perPiece: [] }, waits: [] }
}

/** A session for each connection. */
async function sessionPaths(place: Place): Promise<string[]> {
  const connection = await Connection.open(place)
  const paths: string[] = []
  while (paths.length < connections) {
    const made = await connection.send(requestOf('POST', '/v1/sessions', '{"agentId":"bench"}'))
    paths.push(`/v1/sessions/${JSON.parse(made).id}/messages`)
  }
  connection.close()
  return paths
}

async function measure({ callers, timing, waits }: Contender): Promise<void> {
  const called = await callers.ask(sized(callsARound))
  timing.perPiece.push(called.ms / called.waits.length)
  waits.push([...called.waits])
}

function report(contenders: readonly Contender[], loops: readonly number[]): void {
  const rows = rateRows(contenders.map(({ timing }) => timing)).map((row, index) => {
    const waits = contenders[index]?.waits ?? []
    const at = (share: number) => ms(median(waits.map((round) => percentile(round, share))))
    return [...row, at(0.5), at(0.99)]
  })
  section(
    `${connections} connections, durable appends over HTTP`,
    table([...timeHeader, 'p50', 'p99'], rows),
    `One message of 1 KiB each, a session for each connection; who calls is a process of its own. The server's event loop was late by ${ms(median(loops))} (p99). Target: 10,000/s, p99 at most 20 ms, event loop p99 at most 10 ms.`,
  )
}
