/** A body as lines of text: no more of it is held than one line. */
import { createHash } from 'node:crypto'
import { HoldfastError, limitExceeded, limits } from '@holdfast/protocol'
import { chunksOf } from './gone.ts'

/** The lines, read once, and what they were. */
export class HashedLines implements AsyncIterable<string> {
  readonly #lines: AsyncGenerator<string, void, void>
  readonly #hash = createHash('sha256')

  constructor(request: Request) {
    this.#lines = readLines(request)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    for (;;) {
      const { value, done } = await this.#lines.next()
      if (done) return
      this.#hash.update(value).update('\n')
      yield value
    }
  }

  /** SHA-256 of all of them; reads those that nobody took. */
  async digest(): Promise<string> {
    for await (const _line of this);
    return this.#hash.copy().digest('hex')
  }
}

async function* readLines(request: Request): AsyncGenerator<string, void, void> {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  for await (const chunk of chunksOf(request)) {
    rest += decode(utf8, chunk)
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
    if (rest.length > limits.lineBytes) throw limitExceeded('lineBytes', rest.length, 'line')
  }
  rest += decode(utf8)
  if (rest !== '') yield rest
}

function decode(utf8: InstanceType<typeof TextDecoder>, chunk?: Uint8Array): string {
  try {
    return utf8.decode(chunk, { stream: chunk !== undefined })
  } catch (cause) {
    throw new HoldfastError('invalid_input', 'body: not UTF-8.', { cause })
  }
}
