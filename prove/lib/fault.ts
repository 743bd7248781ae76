/** What can go wrong with a disk, by orders to `shim/fault.c`, which is preloaded into the process that gives them. */
import { execFileSync } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'

export interface Fault {
  /** `quota` and `disk`: the files find room for a number of bytes, by the library or on a real disk that small. */
  kind: 'write' | 'sync' | 'open' | 'truncate' | 'unlink' | 'rename' | 'read' | 'quota' | 'disk'
  /** Which operation of the kind is the first to fail, from 1. Of a quota or a disk: bytes. */
  nth: number
  mode: 'once' | 'ever'
  /** `short`: half of the bytes are written, and then there is no space. */
  error: 'EIO' | 'ENOSPC' | 'short'
}

const errors = { EIO: 5, ENOSPC: 28, short: -1 } as const

/** What failed before is forgotten, and counting begins anew. */
export function plant({ kind, nth, mode, error }: Fault, folder: string): void {
  if (kind === 'disk') mount(folder, `size=${nth}`)
  order(`${kind}/${nth}/${mode}/${errors[error]}`)
}

export function heal({ kind }: Fault, folder: string): void {
  if (kind === 'disk') mount(folder, 'remount,size=64m')
  order('none/0/once/0')
}

/** A small disk over the folder, in memory. Throws where that is not permitted. */
export function mount(folder: string, options: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'holdfast-prove', folder], { stdio: 'pipe' })
}

export function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder], { stdio: 'pipe' })
}

/** Operations of the planted kind so far, and how many of them failed. */
export function faultState(): { calls: number; failed: number } {
  const [calls = 0, failed = 0] = readFileSync('/holdfast-fault/state', 'utf8').split(' ').map(Number)
  return { calls, failed }
}

/** No such path exists: the library reads the order and says so. */
function order(text: string): void {
  try {
    openSync(`/holdfast-fault/${text}`, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
}
