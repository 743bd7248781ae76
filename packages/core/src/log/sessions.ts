/** Making and finding a tenant's sessions. */
import {
  type Actor,
  type CreateInput,
  id,
  isHoldfastError,
  isId,
  parseInput,
  type Session,
} from '@holdfast/protocol'
import { lifecycleOf } from '../session/lifecycle.ts'
import { createSession, forkSession } from './create-session.ts'
import { type Deleted, type DeleteOptions, deleteSession, treeOf } from './delete-session.ts'
import { eachHead } from './each-head.ts'
import { type EraseOptions, eraseEvents } from './erase.ts'
import { seqsOfMessage } from './erase-message.ts'
import { LeftOut } from './left-out.ts'
import { type ListOptions, listSessions, type SessionFilters, type SessionPage } from './list-sessions.ts'
import { missing } from './log-reads.ts'
import { type ErasureReceipt, finality } from './receipt.ts'
import { type Recovered, type RecoverOptions, recoverRun } from './recover.ts'
import { type RestoreInput, restoreEvents } from './restore.ts'
import { madeBefore, openSession, SessionHandle } from './session-handle.ts'
import { getSession, pageLimit } from './session-read.ts'
import type { AnySession, CreatedSession, UnseenSession } from './session-types.ts'
import { type SessionSummary, sessionSummary } from './summary-view.ts'
import type { TenantLog } from './tenant-log.ts'
import type { Receipt, WriteOptions } from './write-options.ts'

/** A session with those below it. */
export interface SessionTree {
  session: SessionSummary
  children: SessionTree[]
}

export class Sessions {
  readonly #log: TenantLog
  readonly #actor: Actor

  constructor(log: TenantLog, actor: Actor) {
    this.#log = log
    this.#actor = actor
  }

  /** Again with the same key, or with the same chosen id and input: the same session. */
  async create(input: CreateInput, options?: WriteOptions): Promise<CreatedSession> {
    const { sessionId, replayed } = await createSession(this.#log, input, options, this.#actor)
    if (replayed) return madeBefore(this.#log, this.#actor, sessionId)
    return new SessionHandle(this.#log, this.#actor, sessionId, 'created') as unknown as CreatedSession
  }

  /**
   * Puts a session back from its own events, a part of the log at a time and in order, each part in one commit: seqs and
   * bytes as they were. Parts that are here already change nothing. `id_taken` when the session here has other events.
   */
  restore(sessionId: string, input: RestoreInput): Promise<Receipt> {
    return restoreEvents(this.#log, parseInput(id, sessionId, 'sessionId'), input, this.#actor)
  }

  /** The handle of the state that the session is in; `not_found` when there is none. */
  async open(sessionId: string): Promise<AnySession> {
    if (!isId(sessionId)) missing(sessionId)
    return openSession(this.#log, this.#actor, sessionId)
  }

  /** A handle with every operation, without a look at the session: what its state does not permit, the log refuses. */
  at(sessionId: string): UnseenSession {
    if (!isId(sessionId)) missing(sessionId)
    return new SessionHandle(this.#log, this.#actor, sessionId, 'active') as unknown as UnseenSession
  }

  /** What its head says; undefined when there is none. */
  async getSummary(sessionId: string): Promise<SessionSummary | undefined> {
    const loaded = isId(sessionId) ? await this.#log.reads.getHead(sessionId) : undefined
    return loaded && sessionSummary(loaded.state.head, loaded.lease, this.#log.nowMs)
  }

  async get(sessionId: string): Promise<Session | undefined> {
    return isId(sessionId) ? getSession(this.#log.reads, sessionId) : undefined
  }

  list(filters?: SessionFilters, options?: ListOptions): Promise<SessionPage> {
    return listSessions(this.#log, filters, options)
  }

  /** The whole tree that a root session spawned, with status, usage and open questions. */
  async tree(rootSessionId: string): Promise<SessionTree> {
    const nodes = await this.#summaries(rootSessionId)
    const root = nodes.get(rootSessionId)
    if (!root) missing(rootSessionId)
    for (const node of nodes.values()) {
      const { parentSessionId } = node.session
      if (parentSessionId !== undefined) nodes.get(parentSessionId)?.children.push(node)
    }
    return root
  }

  async #summaries(rootSessionId: string): Promise<Map<string, SessionTree>> {
    const nodes = new Map<string, SessionTree>()
    for (const { head, lease } of await treeOf(this.#log, rootSessionId)) {
      // One whose head cannot be read cannot be placed in the tree; it hides none of the others.
      if (!head) continue
      const session = sessionSummary(head, lease, this.#log.nowMs)
      nodes.set(head.id, { session, children: [] })
    }
    return nodes
  }

  /** The thread's newest open session, else a fork of its newest ended one at its end: turn N sees turn N−1. */
  async resumeThread(threadId: string, options: WriteOptions = {}): Promise<AnySession> {
    const { open, ended } = await this.#newestOf(threadId)
    if (open !== undefined) return this.open(open)
    if (ended === undefined) missing(`of thread ${threadId}`)
    return this.open(await this.#continued(threadId, ended, options))
  }

  /** The key makes two callers at once resume one and the same fork; the next one when that was deleted since. */
  async #continued(threadId: string, ended: string, options: WriteOptions): Promise<string> {
    const { head } = (await this.#log.reads.requireHead(ended)).state
    for (let nth = 0; ; nth++) {
      const key = options.key ?? `resume:${ended}:${head.seq}${nth === 0 ? '' : `:${nth}`}`
      const terms = { ...options, key, atSeq: head.seq }
      try {
        return (await forkSession(this.#log, ended, { threadId }, terms, this.#actor)).sessionId
      } catch (error) {
        if (options.key !== undefined || !isHoldfastError(error, 'id_taken')) throw error
      }
    }
  }

  async #newestOf(threadId: string): Promise<{ open?: string; ended?: string }> {
    const found: { open?: string; ended?: string } = {}
    for await (const { sessionId, head } of eachHead(this.#log, { index: 'thread', value: threadId })) {
      if (!head) continue
      const lifecycle = lifecycleOf(head, this.#log.nowMs)
      found[lifecycle === 'closed' || lifecycle === 'expired' ? 'ended' : 'open'] = sessionId
    }
    return found
  }

  /** With its children; with `cascade` also what was forked from it. */
  async delete(sessionId: string, options?: DeleteOptions): Promise<Deleted> {
    return deleteSession(this.#log, parseInput(id, sessionId, 'sessionId'), options)
  }

  /** Content of these events, and everything derived from it, here and in forks. */
  async erase(
    sessionId: string,
    seqs: readonly number[],
    { scrub = true, ...options }: Partial<EraseOptions> & { scrub?: boolean } = {},
  ): Promise<ErasureReceipt> {
    const terms = { actor: this.#actor, ...options }
    const left = new LeftOut()
    const named = parseInput(id, sessionId, 'sessionId')
    const counts = await eraseEvents(this.#log, named, seqs, terms, { left })
    const final = await finality(this.#log, { scrub, isWhole: left.damaged.size === 0 })
    return { ...counts, deletedSessions: 0, ...final, ...left.told() }
  }

  /** The same for a message, with the versions that it replaced. */
  async eraseMessage(
    sessionId: string,
    messageId: string,
    options?: Partial<EraseOptions> & { scrub?: boolean },
  ): Promise<ErasureReceipt> {
    const named = parseInput(id, sessionId, 'sessionId')
    return this.erase(named, await seqsOfMessage(this.#log, named, messageId), options)
  }

  /**
   * Ids of sessions that somebody is wanted to work on: runs whose lease was lost, and sessions that an answer, a child's end
   * or waiting input made due; longest waiting first. Looking changes nothing.
   */
  async listDue({
    limit = 50,
    skip = 0,
  }: {
    limit?: number
    skip?: number
  } = {}): Promise<readonly string[]> {
    return this.#log.store.listDue(this.#log.tenantId, 'lease', this.#log.nowMs, pageLimit(limit), skip)
  }

  /** Ends, or leaves to be resumed, a run whose worker is gone. Does nothing while its lease is good. */
  recover(sessionId: string, options?: RecoverOptions): Promise<Recovered> {
    return recoverRun(this.#log, sessionId, options)
  }
}
