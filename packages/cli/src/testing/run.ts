/** Runs the command in this process, in a world that a test holds still. */
import { main } from '../main.ts'
import type { Sink, World } from '../terminal/world.ts'

export interface Ran {
  code: number
  out: string
  err: string
}

export interface RunOptions {
  env?: Record<string, string>
  cwd?: string
  /** A terminal of so many columns; absent: a pipe. */
  columns?: number
  /** Called with each text that is written to the output. */
  onOutput?: (text: string) => void
  /** Gives the way to press Ctrl-C. */
  onReady?: (interrupt: () => void) => void
  nowMs?: number
  /** What is piped in, line by line. */
  input?: readonly string[]
}

export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { columns, onOutput, input = [], nowMs = Date.parse('2026-11-21T12:00:00Z') } = options
  const listeners = new Set<() => void>()
  const [stdout, stderr] = [new Kept(columns, onOutput), new Kept(columns)]
  options.onReady?.(() => {
    for (const listener of [...listeners]) listener()
  })
  const world: World = {
    args,
    env: { NO_COLOR: '1', HOLDFAST_PAGER: '', ...options.env },
    cwd: options.cwd ?? '/nowhere',
    home: '/home/somebody',
    platform: 'linux',
    stdout,
    stderr,
    canAsk: false,
    async *inputLines() {
      yield* input
    },
    readLine: async () => undefined,
    now: () => nowMs,
    onInterrupt(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return { code: await main(world), out: stdout.text, err: stderr.text }
}

class Kept implements Sink {
  text = ''
  readonly isTerminal: boolean
  readonly columns: number
  readonly rows = 24
  readonly #onText: ((text: string) => void) | undefined

  constructor(columns: number | undefined, onText?: (text: string) => void) {
    this.isTerminal = columns !== undefined
    this.columns = columns ?? 80
    this.#onText = onText
  }

  async write(text: string): Promise<void> {
    this.text += text
    this.#onText?.(text)
  }
}
