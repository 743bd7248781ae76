/** Reads a JSONL file line by line: memory holds one line, whatever the size of the file. */
import { createReadStream } from 'node:fs'
import { HoldfastError, type Json, type JsonObject, scanText, scanValue } from '@holdfast/protocol'

/** A line with its place: `start` is its first byte, `end` the byte after its line break. */
export interface Line {
  number: number
  start: number
  end: number
  bytes: Buffer
  /** Undefined: the line is broken or blank. */
  value: JsonObject | undefined
  /** Why it is broken. */
  broken?: string
  /** What had to be changed to read it. */
  repaired?: string
  /** The text of a broken line. */
  text?: string
}

export interface From {
  byte: number
  /** Number of the line before the first one read. */
  line: number
}

const lineBreak = 0x0a

/** A last line without a line break that cannot be read yet is still being written: it is left for the next import. */
export async function* readLines(path: string, from: From = { byte: 0, line: 0 }): AsyncGenerator<Line> {
  let { byte: start, line: number } = from
  for await (const { bytes, ended } of readPieces(path, from.byte)) {
    number += 1
    const end = start + bytes.length + (ended ? 1 : 0)
    const line = { number, start, end, bytes, ...readLine(bytes) }
    if (!ended && line.value === undefined) return
    yield line
    start = end
  }
}

async function* readPieces(path: string, start: number): AsyncGenerator<{ bytes: Buffer; ended: boolean }> {
  let rest: Buffer[] = []
  for await (const chunk of createReadStream(path, { start }) as AsyncIterable<Buffer>) {
    let from = 0
    for (let at = chunk.indexOf(lineBreak); at >= 0; at = chunk.indexOf(lineBreak, from)) {
      yield { bytes: Buffer.concat([...rest, chunk.subarray(from, at)]), ended: true }
      rest = []
      from = at + 1
    }
    if (from < chunk.length) rest.push(chunk.subarray(from))
  }
  if (rest.length > 0) yield { bytes: Buffer.concat(rest), ended: false }
}

function readLine(bytes: Buffer): Pick<Line, 'value' | 'broken' | 'repaired' | 'text'> {
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '')
  if (text.trim() === '') return { value: undefined }
  try {
    return asObject(scanText(text, 'eventBytes', 'line'), text)
  } catch (error) {
    return error instanceof HoldfastError ? repairLine(text, error.message) : raise(error)
  }
}

/** Some of what no store can hold has an obvious nearest form: a lone surrogate is U+FFFD, a huge integer its digits. */
function repairLine(text: string, reason: string): Pick<Line, 'value' | 'broken' | 'repaired' | 'text'> {
  try {
    const value = JSON.parse(text, storable) as Json
    scanValue(value, 'eventBytes', 'line')
    return { ...asObject(value, text), repaired: reason }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof HoldfastError) {
      return { value: undefined, broken: reason, text }
    }
    throw error
  }
}

function storable(_key: string, value: Json): Json | undefined {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number' && !Number.isSafeInteger(value) && Number.isInteger(value))
    return String(value)
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) =>
        key === '__proto__' ? [] : [[key.toWellFormed(), item]],
      ),
    )
  }
  return value
}

function asObject(value: Json, text: string): Pick<Line, 'value' | 'broken' | 'text'> {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return { value }
  return { value: undefined, broken: 'not a JSON object', text }
}

function raise(error: unknown): never {
  throw error
}
