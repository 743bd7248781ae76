/** The server as `holdfast serve` runs it, which tells how its event loop fared and what memory it takes. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Place } from '../http/connection.ts'
import type { Built } from '../lib/built.ts'
import { help } from '../lib/helper.ts'

export interface ServerJob {
  path: string
  built: Built
}

export type ServerQuestion = 'measure' | 'fared'

export interface Fared {
  /** Delay of the event loop since `measure`, in milliseconds. */
  loopP50: number
  loopP99: number
  /** Resident now, in bytes. */
  memory: number
  followers: number
  /** Time of the processor that was taken, in milliseconds. */
  cpuMs: number
}

await help<ServerJob, Place, ServerQuestion, Fared>(async ({ path, built }) => {
  const { sqlite } = (await import(built.sqlite)) as typeof import('@holdfast/core/sqlite')
  const { serve } = (await import(built.server)) as typeof import('@holdfast/server/node')
  const serving = await serve({ store: sqlite(path, { writer: 'thread' }), port: 0, signals: [] })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const { hostname, port } = new URL(serving.url)
  const answer = (question: ServerQuestion): Fared => {
    if (question === 'measure') delay.reset()
    const { user, system } = process.cpuUsage()
    return {
      loopP50: delay.percentile(50) / 1e6,
      loopP99: delay.percentile(99) / 1e6,
      memory: process.memoryUsage.rss(),
      followers: serving.server.followers,
      cpuMs: (user + system) / 1_000,
    }
  }
  return { ready: { host: hostname, port: Number(port) }, answer, end: () => serving.close() }
})
