/** How steps reach the server, which is not everywhere the same. */
import type { Connection } from './connection.ts'
import type { Answer, Step } from './flush.ts'

export interface Sending {
  /** All of the steps or none, in one round trip. The first one sets what they run under. */
  flush(connection: Connection, steps: readonly Step[]): Promise<Answer[]>
  /** The same within a transaction that is open, or that the first step begins. */
  inBlock(connection: Connection, steps: readonly Step[]): Promise<Answer[]>
}
