/** Reads what `shim/record.c` logged: every change of the watched folder, in order. */
import { readFileSync } from 'node:fs'

export interface Change {
  operation: 'write' | 'truncate' | 'sync' | 'unlink' | 'rename'
  /** Name in the watched folder; `.` is the folder. */
  name: string
  /** Of a write: where, -1 for "at the end". Of a truncate: the new size. */
  offset: number
  data: Buffer
}

export function readTrace(path: string): Change[] {
  const bytes = readFileSync(path)
  const changes: Change[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at)
    const [operation, name, offset, length] = bytes.toString('latin1', at, end).split(' ')
    at = end + 1 + Number(length)
    changes.push({
      operation: operation as Change['operation'],
      name: name ?? '',
      offset: Number(offset),
      data: bytes.subarray(end + 1, at),
    })
  }
  return changes
}

/** The index of the journal is shared memory: it does not outlive the processes, and is made anew from the journal. */
export function isShared(name: string): boolean {
  return name.endsWith('-shm')
}
