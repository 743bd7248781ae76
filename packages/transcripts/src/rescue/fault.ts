/** What is wrong with a file. */
export interface Fault {
  /**
   * `broken_line` cannot be read; `too_large` is more than the provider takes; `orphan_call` has no result and `orphan_result` answers no call, which the provider refuses; `missing_parent` cuts off what came before.
   */
  code: 'broken_line' | 'too_large' | 'orphan_call' | 'orphan_result' | 'missing_parent'
  /** Line in the file; 0 for the file as a whole. */
  line: number
  message: string
}
