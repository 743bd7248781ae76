/** Why the program that wrote a transcript cannot go on with it. */

export interface Fault {
  /**
   * `broken_line` cannot be read; `long_line` and `too_large` are more than the program takes in; `orphan_result` answers
   * no call; `orphan_call` has no result; `missing_parent` leaves what came before out of the conversation.
   */
  code: 'broken_line' | 'long_line' | 'too_large' | 'orphan_result' | 'orphan_call' | 'missing_parent'
  /** Line in the file; 0 for the file as a whole. */
  line: number
  message: string
}

export interface Examination {
  format: 'claude-code' | 'codex'
  lines: number
  bytes: number
  /** True: nothing stands against going on. */
  resumable: boolean
  faults: Fault[]
}
