/** Connections that each send their next request when the last one is answered. */
import { Connection, type Place, requestOf } from '../http/connection.ts'
import { help } from '../lib/helper.ts'

export interface CallersJob {
  place: Place
  /** One for each connection. */
  paths: readonly string[]
  body: string
}

/** How many requests, all connections together. */
export type Calls = number

export interface Called {
  ms: number
  /** Of each request, in milliseconds. */
  waits: Float64Array
}

await help<CallersJob, true, Calls, Called>(async ({ place, paths, body }) => {
  const callers = await Promise.all(
    paths.map(async (path) => ({
      connection: await Connection.open(place),
      request: requestOf('POST', path, body),
    })),
  )
  const answer = async (calls: Calls): Promise<Called> => {
    const waits = new Float64Array(calls)
    let sent = 0
    const start = performance.now()
    await Promise.all(
      callers.map(async ({ connection, request }) => {
        while (sent < calls) {
          const call = sent++
          const begun = performance.now()
          await connection.send(request)
          waits[call] = performance.now() - begun
        }
      }),
    )
    return { ms: performance.now() - start, waits }
  }
  const end = () => {
    for (const { connection } of callers) connection.close()
  }
  return { ready: true, answer, end }
})
