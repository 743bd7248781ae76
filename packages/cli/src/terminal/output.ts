/** What a command says: lines for a person, or its data as JSON for a program. */
import { type Style, styleOf, wantsColour } from './style.ts'
import type { World } from './world.ts'

export type Format = 'text' | 'json' | 'jsonl'

export class Output {
  readonly format: Format
  readonly style: Style
  /** Columns to fit into; undefined where the output is not a terminal. */
  readonly width: number | undefined
  readonly isTerminal: boolean
  readonly #world: World

  constructor(world: World, options: { format: Format; colour: boolean }) {
    const { stdout, env } = world
    this.#world = world
    this.format = options.format
    this.isTerminal = stdout.isTerminal
    this.style = styleOf(options.colour && wantsColour(env, stdout.isTerminal))
    this.width = stdout.isTerminal ? stdout.columns : undefined
  }

  get wantsData(): boolean {
    return this.format !== 'text'
  }

  text(text: string): Promise<void> {
    return this.#world.stdout.write(text)
  }

  async lines(lines: Iterable<string> | AsyncIterable<string>): Promise<void> {
    for await (const chunk of gathered(lines)) await this.text(chunk)
  }

  /** Beside the output: what is done, where it is, what to do next. Not part of the data. */
  async aside(...lines: string[]): Promise<void> {
    if (this.wantsData) return
    await this.#world.stderr.write(lines.map((line) => `${line}\n`).join(''))
  }

  /**
   * One document `{data, next}`, or with `jsonl` a line for each item. `next` is read once the items are through. Nothing is
   * written before there is an item: what fails at once leaves no half of a document.
   */
  async data(items: Iterable<unknown> | AsyncIterable<unknown>, next?: () => unknown): Promise<void> {
    if (this.format === 'jsonl') return this.lines(mapped(items, (item) => JSON.stringify(item)))
    const head = '{"data":['
    let lead = head
    for await (const chunk of gathered(mapped(items, (item) => JSON.stringify(item)))) {
      await this.text(`${lead}\n${chunk.trimEnd().replaceAll('\n', ',\n')}`)
      lead = ','
    }
    const position = next?.()
    const tail = position === undefined ? '' : `,"next":${JSON.stringify(position)}`
    await this.text(`${lead === head ? head : '\n'}]${tail}}\n`)
  }

  /** One document `{data}` that is no list. */
  async one(data: unknown): Promise<void> {
    await this.text(`${JSON.stringify(this.format === 'jsonl' ? data : { data })}\n`)
  }
}

const chunkUnits = 16 * 1024

/** Lines in chunks: a write for each line would be most of the time of a long transcript. */
async function* gathered(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = ''
  for await (const line of lines) {
    chunk += `${line}\n`
    if (chunk.length < chunkUnits) continue
    yield chunk
    chunk = ''
  }
  if (chunk !== '') yield chunk
}

async function* mapped(
  items: Iterable<unknown> | AsyncIterable<unknown>,
  map: (item: unknown) => string,
): AsyncGenerator<string> {
  for await (const item of items) yield map(item)
}
