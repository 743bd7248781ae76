/** The names that a case has used, so that a dump can ask for everything that may lie under them. */
import type { TenantId } from '@holdfast/protocol'
import type { CheckpointRow, CheckpointWrite, Commit, DraftWrite, HeadRow, ListIndex } from '../store.ts'

export type CheckpointName = Pick<CheckpointRow, 'threadId' | 'namespace' | 'checkpointId'>

export class Names {
  readonly tenants = new Set<TenantId>()
  readonly sessions = new Set<string>()
  readonly parts = new Set<string>()
  readonly keys = new Set<string>()
  readonly hashes = new Set<string>()
  readonly drafts = new Set<string>()
  readonly recordKinds = new Set<string>()
  readonly #refs = new Map<string, { kind: string; id: string }>()
  readonly #lists = new Map<string, { index: ListIndex; value: string }>()
  readonly #checkpoints = new Map<string, CheckpointName>()

  get refs(): Iterable<{ kind: string; id: string }> {
    return this.#refs.values()
  }

  get lists(): Iterable<{ index: ListIndex; value: string }> {
    return this.#lists.values()
  }

  get checkpoints(): Iterable<CheckpointName> {
    return this.#checkpoints.values()
  }

  copy(): Names {
    const copy = new Names()
    for (const name of this.tenants) copy.tenants.add(name)
    for (const name of this.sessions) copy.sessions.add(name)
    for (const name of this.parts) copy.parts.add(name)
    for (const name of this.keys) copy.keys.add(name)
    for (const name of this.hashes) copy.hashes.add(name)
    for (const name of this.drafts) copy.drafts.add(name)
    for (const name of this.recordKinds) copy.recordKinds.add(name)
    for (const [key, ref] of this.#refs) copy.#refs.set(key, ref)
    for (const [key, list] of this.#lists) copy.#lists.set(key, list)
    for (const [key, checkpoint] of this.#checkpoints) copy.#checkpoints.set(key, checkpoint)
    return copy
  }

  noteCommit(commit: Commit): void {
    this.noteSession(commit.tenantId, commit.sessionId)
    if (commit.key) this.keys.add(commit.key.key)
    for (const { part } of commit.parts) this.parts.add(part)
    for (const { kind, id } of commit.refs) this.#refs.set(JSON.stringify([kind, id]), { kind, id })
    for (const { hash } of commit.attachments) this.hashes.add(hash)
    for (const draftId of commit.dropDrafts) this.drafts.add(draftId)
    this.#noteLists(commit.head)
  }

  #noteLists(head: HeadRow): void {
    this.#noteList('owner', head.ownerUserId)
    this.#noteList('agent', head.agentId)
    this.#noteList('conversation', head.conversationId)
    this.#noteList('thread', head.threadId)
    this.#noteList('root', head.rootSessionId)
  }

  #noteList(index: ListIndex, value: string | undefined): void {
    if (value !== undefined) this.#lists.set(JSON.stringify([index, value]), { index, value })
  }

  noteSession(tenantId: TenantId, sessionId: string): void {
    this.tenants.add(tenantId)
    this.sessions.add(sessionId)
  }

  noteDraft({ tenantId, sessionId, draftId }: DraftWrite): void {
    this.noteSession(tenantId, sessionId)
    this.drafts.add(draftId)
  }

  noteCheckpoint(write: CheckpointWrite): void {
    const { threadId, namespace, checkpointId } = write
    this.noteSession(write.tenantId, write.sessionId)
    const name = { threadId, namespace, checkpointId }
    this.#checkpoints.set(JSON.stringify([threadId, namespace, checkpointId]), name)
    for (const hash of [...Object.values(write.channels), ...write.bodies.map((body) => body.hash)]) {
      this.hashes.add(hash)
    }
  }

  noteRecord(tenantId: TenantId, kind: string): void {
    this.tenants.add(tenantId)
    this.recordKinds.add(kind)
  }
}
