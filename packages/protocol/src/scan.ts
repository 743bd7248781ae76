/**
 * The boundary rule for every JSON body, the same on every store, because engines disagree in silence: one replaces a
 * lone surrogate, one refuses NUL, one rounds 2⁵³+1, one stores NaN as NULL. What passes here is stored everywhere
 * exactly as it is, so nothing downstream checks again.
 *
 * | danger                                        | rule                                                     |
 * |-----------------------------------------------|----------------------------------------------------------|
 * | size above the limit, in UTF-8 bytes of JSON  | `limit_exceeded`                                         |
 * | nesting above `jsonDepth` (and so any cycle)  | `limit_exceeded`, found before parsing                   |
 * | keys and items above `jsonNodes`              | `limit_exceeded`, found before parsing                   |
 * | text that is not JSON, a byte order mark      | `invalid_input`                                          |
 * | the same key twice in one object              | `invalid_input`; parsers differ in which one wins        |
 * | lone surrogate, raw or escaped, value or key  | `invalid_input`; it has no UTF-8 form                    |
 * | NUL (U+0000) in a string                      | accepted: JSON text holds it escaped; id patterns refuse |
 * | bidi marks, emoji, other well-formed text     | accepted as they are, never normalised                   |
 * | key `__proto__`                               | `invalid_input`; schemas and merges lose it              |
 * | keys `constructor`, `prototype`               | accepted as foreign data; `checkOwnKeys` refuses them    |
 * | NaN, Infinity, 1e400                          | `invalid_input`                                          |
 * | whole number beyond ±(2⁵³−1), as 2⁵³+1, 1e300 | `invalid_input`; write it as a string                    |
 * | −0                                            | becomes 0                                                |
 * | fraction with more digits than a double holds | accepted as the nearest double                           |
 * | property that is `undefined`                  | absent                                                   |
 * | array item that is `undefined`, or a hole     | `invalid_input`                                          |
 * | function, symbol, bigint                      | `invalid_input`                                          |
 * | Date, Map, class instance, `toJSON`           | `invalid_input`; it would not read back as it was        |
 * | getter or proxy that throws or changes        | a throw is `invalid_input`; a change is the caller's own |
 * | the same, where a copy is made                | each is read once: the copy is what was checked          |
 */

import { checkBytes, limitExceeded } from './check-limit.ts'
import { HoldfastError } from './errors.ts'
import { inputPath } from './input-path.ts'
import { type Json, unsafeKeys } from './json.ts'
import { type LimitName, limits } from './limits.ts'

/** Checks a value that a caller handed in and returns its JSON text. `limit` names the row that bounds its bytes. */
export function scanValue(value: unknown, limit: LimitName, what: string): string {
  return written(limit, what, () => {
    new Walk(limit, what).value(value, 0)
    return value
  })
}

/**
 * As `scanValue`, with a copy that the caller cannot change: what the text reads back as. Its strings are those of the value,
 * which makes it several times as fast as reading the text.
 */
export function scanCopy<T>(value: T, limit: LimitName, what: string): { copy: T; text: string } {
  let copy = value
  const text = written(limit, what, () => {
    copy = new Walk(limit, what, { copies: true }).value(value, 0) as T
    return copy
  })
  return { copy, text }
}

function written(limit: LimitName, what: string, walk: () => unknown): string {
  let text: string
  try {
    text = JSON.stringify(walk())
  } catch (error) {
    if (error instanceof HoldfastError) throw error
    throw new HoldfastError('invalid_input', `${what}: cannot be read as JSON.`, { cause: error })
  }
  checkBytes(limit, text, what)
  return text
}

/** Checks JSON text and parses it. Nothing is parsed before its size, depth and node count are known. */
export function scanText(text: string, limit: LimitName, what: string): Json {
  checkBytes(limit, text, what)
  if (!text.isWellFormed()) throw invalid(what, 'a lone surrogate')
  const nodes = countNodes(text, what)
  const value = parse(text, what)
  const walk = new Walk(limit, what)
  walk.value(value, 0)
  // Parsing keeps one of two equal keys, so the value is then smaller than its text.
  if (walk.nodes !== nodes) throw invalid(what, 'an object with the same key twice')
  return walk.negativeZero ? (JSON.parse(text, (_key, item) => (item === 0 ? 0 : item)) as Json) : value
}

/** Refuses `__proto__`, `constructor` and `prototype` as keys of an object whose keys are ours, such as metadata. */
export function checkOwnKeys(object: object, what: string): void {
  const key = unsafeKeys.find((unsafe) => Object.hasOwn(object, unsafe))
  if (key !== undefined) throw invalid(what, `the key ${key} is not allowed`)
}

/**
 * One pass over a value, which gives the value, or a copy of it. Recursion is bounded by `jsonDepth`, total work by
 * `jsonNodes`; where nothing is copied no node allocates.
 */
class Walk {
  nodes = 0
  negativeZero = false
  /** UTF-16 units of all strings: never more than the UTF-8 bytes, so it stops a huge value before it is written. */
  #units = 0
  readonly #path: PropertyKey[] = []
  readonly #limit: LimitName
  readonly #what: string
  readonly #copies: boolean

  constructor(limit: LimitName, what: string, { copies } = { copies: false }) {
    this.#limit = limit
    this.#what = what
    this.#copies = copies
  }

  value(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        this.#text(value, depth)
        return value
      case 'number':
        this.#number(value, depth)
        return value === 0 ? 0 : value
      case 'boolean':
        return value
      case 'object':
        return value === null ? null : this.#container(value, depth)
      default:
        throw this.#refuse(depth, value === undefined ? 'undefined' : `a ${typeof value}, which is not JSON`)
    }
  }

  #container(value: object, depth: number): object {
    if (depth === limits.jsonDepth) throw limitExceeded('jsonDepth', depth + 1, this.#what)
    return Array.isArray(value) ? this.#array(value, depth) : this.#object(value, depth)
  }

  #array(items: unknown[], depth: number): unknown[] {
    if ('toJSON' in items) throw this.#refuse(depth, 'an array with toJSON')
    this.#count(items.length)
    const copy: unknown[] | undefined = this.#copies ? [] : undefined
    for (let i = 0; i < items.length; i++) {
      this.#path[depth] = i
      const item = this.value(items[i], depth + 1)
      copy?.push(item)
    }
    return copy ?? items
  }

  #object(object: object, depth: number): object {
    if (!isPlain(object)) throw this.#refuse(depth, 'an object with a prototype of its own; give plain data')
    const copy: Record<string, unknown> | undefined = this.#copies ? {} : undefined
    for (const key in object) {
      if (!Object.hasOwn(object, key)) continue
      this.#path[depth] = key
      if (key === '__proto__') throw this.#refuse(depth, 'the key __proto__ is not allowed')
      const value = (object as Record<string, unknown>)[key]
      if (value === undefined) continue
      this.#count(1)
      this.#text(key, depth)
      const item = this.value(value, depth + 1)
      if (copy) copy[key] = item
    }
    return copy ?? object
  }

  #text(text: string, depth: number): void {
    this.#units += text.length
    if (this.#units > limits[this.#limit]) throw limitExceeded(this.#limit, this.#units, this.#what)
    if (!text.isWellFormed()) throw this.#refuse(depth, 'a lone surrogate')
  }

  #number(number: number, depth: number): void {
    if (Number.isSafeInteger(number)) {
      if (number === 0 && Object.is(number, -0)) this.negativeZero = true
    } else if (!Number.isFinite(number)) {
      throw this.#refuse(depth, 'a number that is not finite')
    } else if (Number.isInteger(number)) {
      throw this.#refuse(depth, 'a whole number beyond 2^53-1; write it as a string')
    }
  }

  #count(more: number): void {
    this.nodes += more
    if (this.nodes > limits.jsonNodes) throw limitExceeded('jsonNodes', this.nodes, this.#what)
  }

  #refuse(depth: number, reason: string): HoldfastError {
    return invalid(inputPath(this.#what, this.#path.slice(0, depth)), reason)
  }
}

/** Plain in any realm: the prototype is null or the end of its chain. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null
}

const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Number of keys and items in JSON text, by its punctuation; also checks the depth. Exact when the text is JSON. */
function countNodes(text: string, what: string): number {
  let depth = 0
  let nodes = 0
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i)
        break
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (++depth > limits.jsonDepth) throw limitExceeded('jsonDepth', depth, what)
        if (!closesNext(text, i)) nodes++
        break
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--
        break
      case COMMA:
        nodes++
    }
    if (nodes > limits.jsonNodes) throw limitExceeded('jsonNodes', nodes, what)
  }
  return nodes
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end === -1 ? text.length : end
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text[at - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

function closesNext(text: string, open: number): boolean {
  let next = open + 1
  while (text.charCodeAt(next) <= 0x20) next++
  const unit = text.charCodeAt(next)
  return unit === CLOSE_ARRAY || unit === CLOSE_OBJECT
}

function parse(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    // The engine's own message quotes the text, so it is not kept as the cause.
    throw invalid(what, 'not JSON')
  }
}

function invalid(where: string, reason: string): HoldfastError {
  return new HoldfastError('invalid_input', `${where}: ${reason}.`)
}
