/** How far something long is, in one line that is drawn over itself. */
import { bar } from './bar.ts'
import { count, duration, shortCount } from './figures.ts'
import type { Style } from './style.ts'
import { cut } from './width.ts'
import type { Sink } from './world.ts'

export interface Progress {
  files: number
  filesTotal: number
  bytes: number
  bytesTotal: number
  sessions: number
  messages: number
}

export interface ProgressLineOptions {
  elapsedMs: number
  width: number
  style: Style
}

const barWidth = 24
/** Before this no rate is worth telling. */
const settledMs = 300

/** The bar goes by bytes: files differ too much in size. */
export function progressLine(progress: Progress, { elapsedMs, width, style }: ProgressLineOptions): string {
  const { files, filesTotal, bytes, bytesTotal, sessions, messages } = progress
  const share = bytesTotal === 0 ? 0 : Math.min(bytes / bytesTotal, 1)
  const parts = [
    `${files.toLocaleString('en')}/${count(filesTotal, 'file')}`,
    count(sessions, 'session'),
    `${shortCount(messages)} messages`,
    ...paceParts(messages, share, elapsedMs),
  ]
  return barLine(share, parts, { width, style })
}

/** So many a second, and how long it will still take; nothing where there is too little to go by. */
export function paceParts(done: number, share: number, elapsedMs: number): string[] {
  if (elapsedMs < settledMs) return []
  const rate = `${shortCount(Math.round((done / elapsedMs) * 1_000))}/s`
  return share === 0 ? [rate] : [rate, `${duration((elapsedMs * (1 - share)) / share)} left`]
}

/** `share`: from 0 to 1. */
export function barLine(
  share: number,
  parts: readonly string[],
  { width, style }: Pick<ProgressLineOptions, 'width' | 'style'>,
): string {
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  const room = width - barWidth - percent.length - 4
  if (room < 20) return cut(`${percent.trim()} ${parts.join(' · ')}`, width - 1)
  const filled = bar(share, barWidth)
  const rest = '░'.repeat(barWidth - filled.length)
  return `${style.accent(filled)}${style.faint(rest)}${percent}  ${cut(parts.join(' · '), room)}`
}

const drawEveryMs = 80

/** Draws on a terminal, at most a dozen times a second; elsewhere it is silent. */
export class ProgressBar<P> {
  readonly #sink: Sink
  readonly #style: Style
  readonly #now: () => number
  readonly #line: (progress: P, options: ProgressLineOptions) => string
  readonly #startMs: number
  #drawnMs = 0
  #isDrawn = false

  constructor(
    sink: Sink,
    style: Style,
    now: () => number,
    line: (progress: P, options: ProgressLineOptions) => string,
  ) {
    this.#line = line
    this.#sink = sink
    this.#style = style
    this.#now = now
    this.#startMs = now()
  }

  async show(progress: P): Promise<void> {
    const nowMs = this.#now()
    if (!this.#sink.isTerminal || nowMs - this.#drawnMs < drawEveryMs) return
    this.#drawnMs = nowMs
    this.#isDrawn = true
    const elapsedMs = nowMs - this.#startMs
    const line = this.#line(progress, { elapsedMs, width: this.#sink.columns, style: this.#style })
    await this.#sink.write(`\r\u001b[2K${line}`)
  }

  async clear(): Promise<void> {
    if (this.#isDrawn) await this.#sink.write('\r\u001b[2K')
    this.#isDrawn = false
  }
}
