/** What the command sees of the world. The process gives it; a test holds it still. */

/** Where text goes. */
export interface Sink {
  /** Resolves when there is room for more. Rejects with `ReaderLeft` once nobody reads. */
  write(text: string): Promise<void>
  readonly isTerminal: boolean
  /** Columns and rows of the terminal. */
  readonly columns: number
  readonly rows: number
}

export interface World {
  /** What follows the name of the command. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home: string
  readonly platform: string
  readonly stdout: Sink
  readonly stderr: Sink
  /** Whether a person can be asked. */
  readonly canAsk: boolean
  /** Milliseconds. */
  now(): number
  /** Calls back at each Ctrl-C; while nobody listens, Ctrl-C ends the process. Gives the way to stop. */
  onInterrupt(listener: () => void): () => void
}

/** The reader of a pipe left, as `head` does: no failure, and nothing more to do. */
export class ReaderLeft extends Error {
  override readonly name = 'ReaderLeft'
}
