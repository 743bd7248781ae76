/** Runs a program under `shim/record.c`, which logs every change that it makes to a folder, in order. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileCache } from './compile-cache.ts'
import { compileShim } from './shim.ts'

/** Gives the path of the trace. The program runs to its own death by SIGKILL, so that nothing is tidied up behind it. */
export function record(
  script: URL,
  args: readonly string[],
  { folder, work }: { folder: string; work: string },
): string {
  const trace = join(work, 'trace')
  rmSync(trace, { force: true })
  const { signal, status } = spawnSync(process.execPath, [fileURLToPath(script), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      ...compileCache,
      LD_PRELOAD: compileShim('record', work),
      HOLDFAST_RECORD_FOLDER: folder,
      HOLDFAST_RECORD_TRACE: trace,
    },
  })
  if (signal !== 'SIGKILL') throw new Error(`the recorded program ended with ${signal ?? status}`)
  return trace
}
