import { HoldfastError, type Json, limits } from '@holdfast/protocol'
import type { Destination } from '../destination.ts'
import { fileVersion } from './version.ts'

/** Lines of a log, and what to call them. */
interface LogLines {
  readonly path: string
  lines(): AsyncIterable<{ number: number; value: Json | undefined; broken?: string }>
}

/** Bytes and events of one commit: far below what one may have. */
const most = { events: 500, bytes: limits.commitBytes / 4 }

export async function readHoldfast(source: LogLines, into: Destination): Promise<void> {
  let part: Part | undefined
  for await (const { number, value, broken } of source.lines()) {
    if (part === undefined) {
      part = new Part(sessionOf(source, value), into)
      into.report.line('carried')
      continue
    }
    if (value === undefined) {
      into.report.line(broken === undefined ? 'blank' : 'broken')
      if (broken !== undefined) refuse(source, number, broken)
      continue
    }
    const { event, file, base64 } = fieldsOf(value)
    if (isObject(event)) await part.add(JSON.stringify(event), Number(event.seq))
    else if (typeof file === 'string' && typeof base64 === 'string')
      part.addFile(Buffer.from(base64, 'base64'))
    else refuse(source, number, 'neither an event nor a file')
    into.report.line('carried')
  }
  await part?.write()
  if (part) into.restored(part.sessionId, part.isNew, part.events)
}

/** A gap would not be this log: what is behind a line that cannot be read is not restored. */
function refuse({ path }: LogLines, line: number, reason: string): never {
  throw new HoldfastError('invalid_input', `${path}:${line} ${reason}; the session is restored up to there`)
}

function sessionOf({ path }: LogLines, value: Json | undefined): string {
  const { holdfast, sessionId } = isObject(value) ? value : {}
  if (holdfast === fileVersion && typeof sessionId === 'string') return sessionId
  const why =
    holdfast === fileVersion
      ? 'names no session'
      : `has version ${String(holdfast)}; this one reads ${fileVersion}`
  throw new HoldfastError('invalid_input', `${path} ${why}`)
}

/** Events that are written together. */
class Part {
  readonly sessionId: string
  readonly #into: Destination
  isNew = false
  events = 0
  #texts: string[] = []
  #bytes = 0
  #files: Buffer[] = []
  /** Of the next event. */
  #named: Buffer[] = []

  constructor(sessionId: string, into: Destination) {
    this.sessionId = sessionId
    this.#into = into
  }

  addFile(bytes: Buffer): void {
    this.#named.push(bytes)
  }

  async add(text: string, seq: number): Promise<void> {
    if (this.#texts.length >= most.events || this.#bytes + text.length * 3 > most.bytes) await this.write()
    this.#texts.push(text)
    this.#files.push(...this.#named.splice(0))
    this.#bytes += text.length * 3
    if (seq === 1) this.isNew = !(await this.#into.has(this.sessionId))
  }

  async write(): Promise<void> {
    const [events, attachments] = [this.#texts, this.#files]
    if (events.length === 0) return
    this.#texts = []
    this.#files = []
    this.#bytes = 0
    this.events += await this.#into.restore(this.sessionId, { events, attachments })
  }
}

function fieldsOf(value: Json): { [key: string]: Json } {
  return isObject(value) ? value : {}
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
