/**
 * The logs of a session and of all below it as one. A child is found by its parent's `child.spawned`, so a cursor that says how
 * far each log was read says everything: who comes back with it loses and repeats nothing. What the caller may not see is left
 * out, with what is below it.
 */
import { type Followed, FollowedEvent, type Holdfast } from '@holdfast/core'
import { decodeCursor, HoldfastError, isHoldfastError, limits } from '@holdfast/protocol'
import type { Credential } from '../access/credential.ts'
import { isTheirs } from '../access/guard.ts'
import { serverLimits } from '../limits.ts'
import { Merged } from './merged.ts'
import { pause } from './pause.ts'
import type { TreeCursor } from './tree-cursor.ts'

interface Branch {
  sessionId: string
  items: readonly Followed[]
}

/** Before a second look for a child whose parent told of it and that is not there yet; twice as long before each other one. */
const lookAgainMs = 10
const longestLookMs = 1_000
/** Each log is read ahead for a reader who does not keep up. */
const batchBytes = serverLimits.streamBytes / 8

export class Tree {
  readonly #holdfast: Holdfast
  readonly #credential: Credential
  readonly #cursor: TreeCursor
  /** Children that ended. */
  readonly #finished = new Set<string>()

  constructor(holdfast: Holdfast, credential: Credential, cursor: TreeCursor) {
    this.#holdfast = holdfast
    this.#credential = credential
    this.#cursor = cursor
  }

  /** Throws `not_found` and, when it names what is not of this tree or beyond a log's end, `invalid_cursor`. */
  async check(): Promise<void> {
    for (const [sessionId, cursor] of [...this.#cursor.entries()]) {
      const head = await this.#holdfast.sessions.getSummary(sessionId)
      const isRoot = sessionId === this.#cursor.rootId
      if (isRoot && !head) throw new HoldfastError('not_found', 'there is no such session.')
      const isOurs = isRoot || (await this.#look(sessionId)) !== 'foreign'
      if (isOurs && decodeCursor(cursor).seq <= (head?.seq ?? Number.POSITIVE_INFINITY)) continue
      throw new HoldfastError('invalid_cursor', 'the cursor is not of this tree, or beyond its end.')
    }
  }

  /** Each item says whose it is, and has the cursor of the whole tree. */
  async *follow(signal: AbortSignal): AsyncGenerator<readonly Followed[], void, void> {
    const left = new AbortController()
    const either = AbortSignal.any([signal, left.signal])
    const merged = new Merged<Branch>()
    const join = (sessionId: string, after: string) => merged.add(this.#branch(sessionId, after, either))
    for (const [sessionId, cursor] of this.#cursor.entries()) join(sessionId, cursor)
    try {
      for await (const { sessionId, items } of merged.items()) {
        const given: Followed[] = []
        for (const item of items) {
          const childId = this.#pass(sessionId, item)
          if (childId !== undefined) join(childId, '0')
          given.push(withSession(item, sessionId, this.#cursor.text()))
        }
        yield given
      }
    } finally {
      left.abort()
      await merged.close()
    }
  }

  /** What there is now, log after log. */
  async page(limit = 50): Promise<{ texts: string[]; next: string }> {
    const texts: string[] = []
    let left = limits.pageBytes
    for (const [sessionId, cursor] of this.#cursor.entries()) {
      if (texts.length === limit || left <= 0) break
      if (sessionId !== this.#cursor.rootId && (await this.#look(sessionId)) !== 'ours') continue
      const after = decodeCursor(cursor).seq
      const options = { after, limit: limit - texts.length, maxBytes: left }
      for (const { seq, text } of (await this.#holdfast.sessions.at(sessionId).eventTexts(options)).texts) {
        const { type } = JSON.parse(text) as { type: string }
        this.#pass(sessionId, new FollowedEvent(seq, type, text))
        texts.push(textOf(sessionId, text))
        left -= text.length
      }
    }
    return { texts, next: this.#cursor.text() }
  }

  /** The reader is given this item; a child that it tells of belongs to the tree from now on. */
  #pass(sessionId: string, item: Followed): string | undefined {
    this.#cursor.moveTo(sessionId, item.cursor)
    if (item.type !== 'event' || !item.eventType.startsWith('child.')) return undefined
    const { childId } = item.event.data as { childId: string }
    if (item.eventType === 'child.finished') this.#finished.add(childId)
    if (item.eventType !== 'child.spawned' || this.#cursor.has(childId)) return undefined
    this.#cursor.moveTo(childId, '0')
    return childId
  }

  async *#branch(sessionId: string, after: string, signal: AbortSignal): AsyncGenerator<Branch, void, void> {
    const isRoot = sessionId === this.#cursor.rootId
    if (!isRoot && !(await this.#arrived(sessionId, signal))) {
      if (!signal.aborted) this.#cursor.drop(sessionId)
      return
    }
    try {
      const batches = this.#holdfast.sessions.at(sessionId).followBatches({ after, signal, batchBytes })
      for await (const items of batches) yield { sessionId, items }
    } catch (error) {
      if (isRoot || !isHoldfastError(error, 'not_found')) throw error
      this.#cursor.drop(sessionId)
    }
  }

  /** Waits for a child that was told of before it was made. False: it is not to come, or not the caller's to see. */
  async #arrived(sessionId: string, signal: AbortSignal): Promise<boolean> {
    for (let ms = lookAgainMs; !signal.aborted; ms = Math.min(2 * ms, longestLookMs)) {
      const found = await this.#look(sessionId)
      if (found !== 'missing') return found === 'ours'
      if (this.#finished.has(sessionId)) return false
      await pause(ms, signal)
    }
    return false
  }

  /** A fork's log begins with another's, whose children are not of this tree. */
  async #look(sessionId: string): Promise<'ours' | 'foreign' | 'missing'> {
    const head = await this.#holdfast.sessions.getSummary(sessionId)
    if (!head) return 'missing'
    const isBelow = head.parentSessionId !== undefined && this.#cursor.has(head.parentSessionId)
    return isBelow && isTheirs(this.#credential, head) ? 'ours' : 'foreign'
  }
}

function withSession(item: Followed, sessionId: string, cursor: string): Followed {
  if (item.type === 'event')
    return new FollowedEvent(item.seq, item.eventType, textOf(sessionId, item.text), cursor)
  if (item.type === 'draft.reset') return { ...item, cursor, ...{ sessionId } }
  return { ...item, cursor, draft: { ...item.draft, ...{ sessionId } } }
}

function textOf(sessionId: string, text: string): string {
  return `{"sessionId":"${sessionId}",${text.slice(1)}`
}
