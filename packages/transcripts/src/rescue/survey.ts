/** What is wrong with a file, and what is to be done about it when it is written anew. */
import type { JsonObject } from '@holdfast/protocol'
import type { Line } from '../read-lines.ts'

export interface Fault {
  /**
   * `broken_line` cannot be read; `too_large` is more than the program is known to take in; `orphan_call` has no result
   * and `orphan_result` answers no call, which the provider refuses; `missing_parent` cuts off what came before.
   */
  code: 'broken_line' | 'too_large' | 'orphan_call' | 'orphan_result' | 'missing_parent'
  /** Line in the file; 0 for the file as a whole. */
  line: number
  message: string
}

export interface Survey {
  lines: number
  faults: Fault[]
  /** The line as it is to be written, with what is to follow it. Empty: it is put aside. */
  mend(line: Line): JsonObject[]
}

/** Beyond this, programs were seen to fail or to hang when they resume. */
export const mostBytes = 256 * 1024 * 1024

export function sizeFaults(bytes: number): Fault[] {
  if (bytes <= mostBytes) return []
  return [
    {
      code: 'too_large',
      line: 0,
      message: `the file has ${bytes} bytes; beyond ${mostBytes} resuming is known to fail`,
    },
  ]
}

export function brokenFault({ number, broken }: Line): Fault {
  return { code: 'broken_line', line: number, message: broken ?? 'cannot be read' }
}

export const noResult = 'no result in the transcript: the call may or may not have taken effect'
