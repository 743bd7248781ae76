/** Imports a folder of transcripts as `holdfast import` does, and searches; tells the time, the work and the memory it took. */
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import type { ImportThreads } from '@holdfast/transcripts'
import type { Built } from '../lib/built.ts'
import { serve } from '../lib/child.ts'

/** Those of the command, as are the engine's flags. */
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 1_400 }
const notBeside = ['--no-parallel-scavenge', '--no-concurrent-recompilation']

export interface ImportJob {
  path: string
  source: string
  built: Built
  /** One of them is asked for at a time. */
  words: readonly string[]
}

export interface Taken {
  seconds: number
  /** Of the processor, all threads together. */
  cpuSeconds: number
  /** Bytes of resident memory at the most, so far. */
  peak: number
}

export interface Imported {
  imported: Taken
  again: Taken
  indexed: Taken
  /** Of each search, when all is indexed. */
  searchMs: number[]
  bytes: number
}

async function taken(work: () => Promise<unknown>): Promise<Taken> {
  const [start, cpuBefore] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(cpuBefore)
  return {
    seconds: (performance.now() - start) / 1e3,
    cpuSeconds: (user + system) / 1e6,
    peak: process.resourceUsage().maxRSS * 1024,
  }
}

await serve(async ({ path, source, built, words }: ImportJob) => {
  const { openHoldfast } = (await import(built.core)) as typeof import('@holdfast/core')
  const { sqlite } = (await import(built.sqlite)) as typeof import('@holdfast/core/sqlite')
  const { importPaths } = (await import(built.transcripts)) as typeof import('@holdfast/transcripts')
  const settings = { store: path, storeFrom: 'the benchmark', tenant: undefined, pager: undefined }
  return async (): Promise<Imported> => {
    const holdfast = await openHoldfast({ store: sqlite(path) })
    let prices: Promise<unknown[]> | undefined
    const threads: ImportThreads = {
      count: 2,
      async start() {
        if (availableParallelism() <= 2) for (const flag of notBeside) setFlagsFromString(flag)
        prices ??= once(new Worker(new URL(built.pricesThread)), 'message')
        const [list] = await prices
        return new Worker(new URL(built.importThread), {
          workerData: { settings, prices: list },
          resourceLimits,
        })
      },
    }
    let bytes = 0
    const importAll = async () => {
      const summary = await importPaths(holdfast, [source], { threads })
      if (summary.failed.length > 0) throw summary.failed[0]?.cause
      bytes = summary.bytes
    }
    const imported = await taken(importAll)
    const again = await taken(importAll)
    const indexed = await taken(async () => {
      while ((await holdfast.search('anything')).behind);
    })
    const searchMs: number[] = []
    for (const word of words) {
      const { seconds } = await taken(() => holdfast.search(word))
      searchMs.push(seconds * 1e3)
    }
    await holdfast.close()
    return { imported, again, indexed, searchMs, bytes }
  }
})
