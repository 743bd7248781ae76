/** What a provider takes no request with: single pieces that are too large, and a conversation that is. Memory holds sizes. */
import type { Json, JsonObject } from '@holdfast/protocol'
import type { Fault } from './fault.ts'

/** The output of a tool or a file inside a line: it may stand in a file of its own, and the line says where. */
export interface Piece {
  kind: 'image' | 'document' | 'text'
  mediaType: string
  /** Text, or the bytes as base64. */
  data: string
}

/** Gives what stands in the piece's place; undefined: it stays. */
export type Visit = (piece: Piece) => string | undefined

export interface SizeRules {
  /** Who says so. */
  provider: string
  /** Characters that a piece may have, by its kind. */
  mostOf: Record<Piece['kind'], number>
  /** Bytes that a request may have. */
  mostTogether: number
  /** The line with each of its pieces visited. */
  visit(value: JsonObject, visit: Visit): JsonObject
  /** What of the line is sent; undefined: nothing. */
  sent(value: JsonObject): JsonObject | undefined
  /** What stands before the line is not sent any more. */
  startsAnew(value: JsonObject): boolean
}

/** Smaller pieces are never moved: what says where they are is not much shorter. */
const leastMoved = 4 * 1024
/** Of what stands in a piece's place, about. */
const markerBytes = 512

export class Outsized {
  readonly #rules: SizeRules
  readonly #faults: Fault[] = []
  /** Since the conversation began anew. */
  #bytes = 0
  #sizes: number[] = []
  #start = 0
  /** From this size on pieces are moved so that the conversation fits. */
  #leastOfMoved = Number.POSITIVE_INFINITY
  #isLeft = false

  constructor(rules: SizeRules) {
    this.#rules = rules
  }

  read(line: number, value: JsonObject): void {
    const { startsAnew, sent, visit } = this.#rules
    if (startsAnew(value)) this.#begin(line)
    const content = sent(value)
    if (!content) return
    this.#bytes += Buffer.byteLength(JSON.stringify(content))
    visit(value, (piece) => {
      this.#measure(line, piece)
      return undefined
    })
  }

  /** To be asked when every line was read. */
  faults(): Fault[] {
    const { mostTogether, provider } = this.#rules
    if (this.#bytes <= mostTogether) return this.#faults
    const bytes = this.#bytes
    for (const size of this.#sizes.sort((a, b) => b - a)) {
      if (this.#bytes <= mostTogether) break
      this.#leastOfMoved = size
      this.#bytes -= size - markerBytes
    }
    this.#isLeft = this.#bytes > mostTogether
    const message = `the conversation has ${bytes} bytes; ${provider} takes requests of up to ${mostTogether}`
    return [{ code: 'too_large', line: 0, message }, ...this.#faults]
  }

  /** Moving what may be moved is not enough. */
  get isLeft(): boolean {
    return this.#isLeft
  }

  /** The line without what is too large: `moved` keeps a piece, and says what stands in its place. */
  relieve(line: number, value: JsonObject, moved: (piece: Piece) => string): JsonObject {
    return this.#rules.visit(value, (piece) => (this.#isMoved(line, piece) ? moved(piece) : undefined))
  }

  #begin(line: number): void {
    this.#start = line
    this.#bytes = 0
    this.#sizes = []
  }

  #measure(line: number, { kind, data }: Piece): void {
    const most = this.#rules.mostOf[kind]
    if (data.length > most) {
      this.#bytes -= data.length - markerBytes
      const message = `${kind} of ${data.length} characters; ${this.#rules.provider} takes up to ${most}`
      this.#faults.push({ code: 'too_large', line, message })
    } else if (data.length >= leastMoved) this.#sizes.push(data.length)
  }

  #isMoved(line: number, { kind, data }: Piece): boolean {
    return (
      data.length > this.#rules.mostOf[kind] || (line >= this.#start && data.length >= this.#leastOfMoved)
    )
  }
}

/** Nothing of it moved. */
export function isSame(inner: readonly Json[], before: readonly Json[]): boolean {
  return inner.every((part, i) => part === before[i])
}
