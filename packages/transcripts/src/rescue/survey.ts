/** What is wrong with a file, and what is to be done about it when it is written anew. */
import type { JsonObject } from '@holdfast/protocol'
import type { Line } from '../read-lines.ts'
import type { Fault } from './fault.ts'
import type { Outsized } from './outsized.ts'

export interface Survey {
  lines: number
  faults: Fault[]
  readonly outsized: Outsized
  /** The line as it is to be written, with what is to follow it. Empty: it is put aside. */
  mend(line: Line): JsonObject[]
}

export function brokenFault({ number, broken }: Line): Fault {
  return { code: 'broken_line', line: number, message: broken ?? 'cannot be read' }
}
