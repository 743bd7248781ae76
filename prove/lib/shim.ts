/** Libraries of `shim/` that are preloaded into a process to stand between it and its files. */
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Why nothing can be preloaded here; undefined when it can. */
export function whyNoShim(): string | undefined {
  if (process.platform !== 'linux')
    return `file operations are caught by preloading a library, on Linux only, not on ${process.platform}`
  return spawnSync('cc', ['--version']).status === 0 ? undefined : 'no C compiler (cc) is installed'
}

/** Gives the path of the compiled library. */
export function compileShim(name: 'record' | 'fault', work: string): string {
  const source = fileURLToPath(new URL(`../shim/${name}.c`, import.meta.url))
  const library = join(work, `${name}.so`)
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl', '-pthread'])
  return library
}
