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

export interface ReadLineOptions {
  /** What was typed before, for the arrow keys; newest last. */
  history: readonly string[]
  signal: AbortSignal
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
  /** The lines that are piped in, until their end or the signal. */
  inputLines(signal: AbortSignal): AsyncIterable<string>
  /** What a person types after the prompt: a line, or the lines of a paste. Undefined after Ctrl-C, Ctrl-D or the signal. */
  readLine(prompt: string, options: ReadLineOptions): Promise<string | undefined>
  /** Milliseconds. */
  now(): number
  /** Calls back at each Ctrl-C; while nobody listens, Ctrl-C ends the process. Gives the way to stop. */
  onInterrupt(listener: () => void): () => void
}

/** The reader of a pipe left, as `head` does: no failure, and nothing more to do. */
export class ReaderLeft extends Error {
  override readonly name = 'ReaderLeft'
}
