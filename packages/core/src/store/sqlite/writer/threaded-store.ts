/**
 * The SQLite store with its writes on a thread of their own: the caller's thread neither runs them nor waits for the disk.
 * Reads stay here, on a connection of their own: what was answered is on disk, so the next read sees it. What carries a
 * function stays here too, for it cannot be sent: erasing, indexing and checking. To the writer thread those few writes are
 * of a stranger, and are told as such.
 */
import type { TenantId } from '@holdfast/protocol'
import type * as seam from '../../store.ts'
import { storeClosed } from '../errors.ts'
import type { OpenedDatabase } from '../open.ts'
import { SqliteStore, type SqliteStoreOptions } from '../store.ts'
import type { Work, WriterPlace } from './messages.ts'
import { packCommits, unpackOutcomes } from './pack-commits.ts'
import { type Listener, Writer } from './writer.ts'

export class ThreadedStore extends SqliteStore implements Listener {
  /** While the thread writes some commits, others are decided here. */
  override readonly commitLanes = 2
  readonly #place: WriterPlace
  readonly #listeners = new Set<{ call: () => void }>()
  readonly #syncListeners = new Set<{ call: (tookMs: number) => void }>()
  /** Started anew by the next write after it died. */
  #writer: Writer | undefined
  /** Set while there is no writer thread: then our own connection notices every stranger. */
  #stopWatchingHere: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(opened: OpenedDatabase, options: SqliteStoreOptions, place: WriterPlace) {
    super(opened, options)
    this.#place = place
  }

  /** To be called once, before all else. Rejects, and is closed then, when the thread cannot open the database. */
  async start(): Promise<void> {
    try {
      await this.#living().opened()
    } catch (error) {
      await this.close()
      throw error
    }
  }

  override info(): seam.StoreInfo {
    const info = super.info()
    return { ...info, settings: { ...info.settings, writer: 'thread' } }
  }

  /** Those of the thread, and the few of our own connection. */
  override onSync(call: (tookMs: number) => void): () => void {
    const listener = { call }
    const stopHere = super.onSync(call)
    this.#syncListeners.add(listener)
    return () => {
      stopHere()
      this.#syncListeners.delete(listener)
    }
  }

  override async commit(commits: readonly seam.Commit[]): Promise<readonly seam.CommitOutcome[]> {
    if (commits.some(({ erase }) => erase)) return super.commit(commits)
    const { packed, handedOver } = packCommits(commits)
    return unpackOutcomes(await this.#call('commit', [packed], handedOver))
  }

  override renewLease(tenantId: TenantId, sessionId: string, epoch: number, ttlMs: number): Promise<boolean> {
    return this.#call('renewLease', [tenantId, sessionId, epoch, ttlMs])
  }

  override appendDraft(write: seam.DraftWrite): Promise<seam.DraftOutcome> {
    return this.#call('appendDraft', [write])
  }

  override putCheckpoint(write: seam.CheckpointWrite): Promise<void> {
    return this.#call('putCheckpoint', [write])
  }

  override putRecord(
    tenantId: TenantId,
    record: Omit<seam.RecordRow, 'version'>,
    expectedVersion: number,
  ): Promise<seam.RecordOutcome> {
    return this.#call('putRecord', [tenantId, record, expectedVersion])
  }

  override resetIndex(): Promise<void> {
    return this.#call('resetIndex', [])
  }

  override deleteSession(
    tenantId: TenantId,
    sessionId: string,
    options: { cascade: boolean; seq?: number },
  ): Promise<seam.DeleteOutcome> {
    return this.#call('deleteSession', [tenantId, sessionId, options])
  }

  override sweepKeys(atMs: number, limit: number): Promise<number> {
    return this.#call('sweepKeys', [atMs, limit])
  }

  override scrub(): Promise<void> {
    return this.#call('scrub', [])
  }

  override rebuild(rebuilt: seam.Rebuild): Promise<boolean> {
    return this.#call('rebuild', [rebuilt])
  }

  override onForeignWrite(call: () => void): () => void {
    const listener = { call }
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  override close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#listeners.clear()
    try {
      await this.#writer?.close(this.now())
    } finally {
      await super.close()
    }
  }

  async #call<K extends keyof Work>(
    work: K,
    args: Parameters<Work[K]>,
    handedOver?: readonly ArrayBuffer[],
  ): Promise<Awaited<ReturnType<Work[K]>>> {
    if (this.#closing) throw storeClosed()
    return await this.#living().call(this.now(), work, args, handedOver)
  }

  #living(): Writer {
    this.#writer ??= new Writer({ place: this.#place, nowMs: this.now() }, this)
    return this.#writer
  }

  // Listener: what the thread tells.

  opened(): void {
    if (!this.#stopWatchingHere) return
    this.#stopWatchingHere()
    this.#stopWatchingHere = undefined
    this.foreignWrite()
  }

  foreignWrite(): void {
    for (const { call } of [...this.#listeners]) call()
  }

  synced(tookMs: number): void {
    for (const { call } of this.#syncListeners) call(tookMs)
  }

  ended(): void {
    this.#writer = undefined
    if (this.#closing) return
    this.#stopWatchingHere ??= super.onForeignWrite(() => this.foreignWrite())
    this.foreignWrite()
  }
}
