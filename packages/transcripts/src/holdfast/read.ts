import { HoldfastError, type Json, type JsonObject, limits } from '@holdfast/protocol'
import type { Destination } from '../destination.ts'
import { countOf, type Line } from '../read-lines.ts'
import { fileVersion } from './version.ts'

/** Lines of a log, and what to call them. */
interface LogLines {
  readonly path: string
  lines(): AsyncIterable<Pick<Line, 'number' | 'first' | 'broken'> & { value: Json | undefined }>
}

/** Bytes and events of one commit: far below what one may have. */
const most = { events: 500, bytes: limits.commitBytes / 4 }

export async function readHoldfast(source: LogLines, into: Destination): Promise<void> {
  let log: Log | undefined
  for await (const line of source.lines()) {
    const { number, value, broken } = line
    if (log === undefined) {
      log = new Log(sessionOf(source, value), into)
      into.report.line('carried')
      continue
    }
    if (value === undefined) {
      into.report.line(broken === undefined ? 'blank' : 'broken', countOf(line))
      if (broken !== undefined) refuse(source, number, broken)
      continue
    }
    const { event, file, base64 } = fieldsOf(value)
    if (isObject(event)) await log.add(event)
    else if (typeof file === 'string' && typeof base64 === 'string')
      log.addFile(Buffer.from(base64, 'base64'))
    else refuse(source, number, 'neither an event nor a file')
    into.report.line('carried')
  }
  await log?.end()
}

/** The log of a fork begins with that of its source, which comes back as a session of its own where it is not here. */
class Log {
  readonly #sessionId: string
  readonly #into: Destination
  #part: Part | undefined

  constructor(sessionId: string, into: Destination) {
    this.#sessionId = sessionId
    this.#into = into
  }

  async add(event: JsonObject): Promise<void> {
    const begun = beginningOf(event)
    if (begun !== undefined || this.#part === undefined) {
      await this.end()
      this.#part = new Part(begun ?? this.#sessionId, this.#into)
    }
    await this.#part.add(JSON.stringify(event))
  }

  addFile(bytes: Buffer): void {
    this.#part?.addFile(bytes)
  }

  async end(): Promise<void> {
    await this.#part?.write()
    const { sessionId, isNew = false, events = 0 } = this.#part ?? {}
    if (sessionId !== undefined && (events > 0 || sessionId === this.#sessionId))
      this.#into.restored(sessionId, isNew, events)
  }
}

/** The session whose log begins with this event. */
function beginningOf({ type, data }: JsonObject): string | undefined {
  if (type !== 'session.created' && type !== 'session.forked') return undefined
  const id = isObject(data) ? data.sessionId : undefined
  return typeof id === 'string' ? id : undefined
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
  isNew: boolean | undefined
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

  async add(text: string): Promise<void> {
    if (this.#texts.length >= most.events || this.#bytes + text.length * 3 > most.bytes) await this.write()
    this.#texts.push(text)
    this.#files.push(...this.#named.splice(0))
    this.#bytes += text.length * 3
    this.isNew ??= !(await this.#into.has(this.sessionId))
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
