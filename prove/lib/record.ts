/** Runs a program under `shim/record.c`, which logs every change that it makes to a folder, in order. */
import { execFileSync, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../shim/record.c', import.meta.url))

/** Why nothing can be recorded here; undefined when it can. */
export function whyNotRecord(): string | undefined {
  if (process.platform !== 'linux')
    return `writes are recorded by preloading a library, on Linux only, not on ${process.platform}`
  return spawnSync('cc', ['--version']).status === 0 ? undefined : 'no C compiler (cc) is installed'
}

/** Gives the path of the trace. The program runs to its own death by SIGKILL, so that nothing is tidied up behind it. */
export function record(
  script: URL,
  args: readonly string[],
  { folder, work }: { folder: string; work: string },
): string {
  const library = join(work, 'record.so')
  const trace = join(work, 'trace')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl', '-pthread'])
  rmSync(trace, { force: true })
  const { signal, status } = spawnSync(process.execPath, [fileURLToPath(script), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      LD_PRELOAD: library,
      HOLDFAST_RECORD_FOLDER: folder,
      HOLDFAST_RECORD_TRACE: trace,
    },
  })
  if (signal !== 'SIGKILL') throw new Error(`the recorded program ended with ${signal ?? status}`)
  return trace
}
