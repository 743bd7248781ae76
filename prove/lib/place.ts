import { accessSync, constants, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of its own for each proof, gone when the process exits or is asked to. */
export function temporaryFolder(parent = tmpdir()): string {
  const folder = realpathSync(mkdtempSync(join(parent, 'holdfast-prove-')))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  return folder
}

/** In memory where there is such a place: for thousands of files that no crash of this machine must outlive. */
export function memoryFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return temporaryFolder('/dev/shm')
  } catch {
    return temporaryFolder()
  }
}
