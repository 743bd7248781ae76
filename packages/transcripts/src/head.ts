/** The beginning of a file, as far as it takes to tell its format: the shapes of its first JSON values. */
import { type Shape, shapeOf } from './shape.ts'

export interface Head {
  readonly path: string
  readonly encoding: 'utf-8' | 'UTF-16' | 'binary'
  readonly isEmpty: boolean
  /** One array, one value to a line, or one object over several lines. */
  readonly layout: 'array' | 'lines' | 'object'
  /** Of each of the first lines that begins a JSON object or array: its fields, and its texts that are short. */
  readonly records: Records
}

/** Looked at one by one, each for the first time when it is asked for: the first tells most formats. */
export class Records {
  readonly #texts: readonly string[]
  readonly #shapes: Shape[] = []

  constructor(texts: readonly string[]) {
    this.#texts = texts
  }

  get isEmpty(): boolean {
    return this.#texts.length === 0
  }

  get first(): Shape | undefined {
    return this.#at(0)
  }

  some(is: (shape: Shape) => boolean): boolean {
    return this.#texts.some((_, at) => is(this.#at(at) as Shape))
  }

  #at(at: number): Shape | undefined {
    const text = this.#texts[at]
    if (text !== undefined) this.#shapes[at] ??= shapeOf(text)
    return this.#shapes[at]
  }
}

/** As much as is looked at. */
export const headBytes = 128 * 1024
const mostRecords = 50

export function headOf(path: string, bytes: Uint8Array): Head {
  const encoding = encodingOf(bytes)
  const text =
    encoding === 'utf-8'
      ? Buffer.from(bytes)
          .toString('utf8')
          .replace(/^\uFEFF/, '')
      : ''
  return { path, encoding, isEmpty: bytes.length === 0, layout: layoutOf(text), records: recordsIn(text) }
}

function encodingOf(bytes: Uint8Array): Head['encoding'] {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return 'UTF-16'
  const nul = bytes.indexOf(0)
  const lineBreak = bytes.indexOf(0x0a)
  // A hole behind a whole line is what a power loss leaves: that line is broken, not the file.
  if (nul < 0 || (lineBreak > 2 && lineBreak < nul)) return 'utf-8'
  return nul < 2 && bytes.length > 3 && bytes[nul + 2] === 0 && bytes[nul + 1] !== 0 ? 'UTF-16' : 'binary'
}

function layoutOf(text: string): Head['layout'] {
  const whole = text.trimStart()
  if (whole.startsWith('[')) return 'array'
  const end = whole.indexOf('\n')
  return whole.startsWith('{') && end >= 0 && !/\}\s*$/.test(whole.slice(0, end)) ? 'object' : 'lines'
}

function recordsIn(text: string): Records {
  if (layoutOf(text) !== 'lines') return new Records([text.trimStart()])
  return new Records(text.split('\n', mostRecords).filter((line) => /^\s*[[{]/.test(line)))
}
