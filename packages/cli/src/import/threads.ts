/** The threads of a large import. Their memory is kept small: what a file leaves behind is collected while it is young. */
import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import type { PriceList } from '@holdfast/core'
import type { ImportThreads } from '@holdfast/transcripts'
import type { Settings } from '../place/settings.ts'

/** What a thread is told at its start. */
export interface ThreadData {
  settings: Settings
  prices: PriceList | undefined
}

/** The older part never comes near its limit: by the limit the collector decides how far it lets the heap grow. */
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 1_400 }

/** More than two wait for each other at the store. */
const most = 2

/** What the engine would do beside the threads takes the processors from them where there are no more. */
const notBeside = ['--no-parallel-scavenge', '--no-concurrent-recompilation']

export function importThreads(
  settings: Settings,
  prices: () => Promise<PriceList | undefined>,
): ImportThreads {
  const script = new URL(import.meta.resolve('#import-thread'))
  return {
    count: Math.min(most, availableParallelism()),
    async start() {
      if (availableParallelism() <= most) for (const flag of notBeside) setFlagsFromString(flag)
      const workerData: ThreadData = { settings, prices: await prices() }
      return new Worker(script, { workerData, resourceLimits })
    },
  }
}
