/**
 * An import into a server. What a file holds is put into sessions here, in a store that is gone afterwards, and what is new
 * in them is sent as logs, file by file. A session that the server has is fetched before it is looked at, with the position
 * where an earlier import stopped, so that nothing is written twice.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HoldfastClient } from '@holdfast/client'
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { isHoldfastError } from '@holdfast/protocol'
import { type ImportPlace, importLog, logLines } from '@holdfast/transcripts'
import type { Place, PlaceSession } from '../place/place.ts'

export class RemoteImport implements ImportPlace {
  readonly #client: HoldfastClient
  readonly #server: Place
  readonly #copy: Holdfast
  readonly #folder: string
  readonly #fetched = new Map<string, Promise<void>>()
  /** Seq of the last event that the server has of a session. */
  readonly #sent = new Map<string, number>()
  readonly #changed = new Set<string>()
  #sending: Promise<void> | undefined

  private constructor(client: HoldfastClient, server: Place, copy: Holdfast, folder: string) {
    this.#client = client
    this.#server = server
    this.#copy = copy
    this.#folder = folder
    copy.onCommit(({ commits }) => {
      for (const { sessionId } of commits) this.#changed.add(sessionId)
    })
  }

  /** `tenantId`: the one that the key is of; the server refuses sessions of another. */
  static async open(client: HoldfastClient, server: Place, tenantId: string): Promise<RemoteImport> {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-import-'))
    const copy = await openHoldfast({ store: sqlite(join(folder, 'copy.db')), tenantId })
    return new RemoteImport(client, server, copy, folder)
  }

  get tenantId(): Holdfast['tenantId'] {
    return this.#copy.tenantId
  }

  readonly sessions: ImportPlace['sessions'] = {
    get: async (id) => {
      await this.#fetch(id)
      return this.#copy.sessions.get(id)
    },
    create: (input, options) => this.#copy.sessions.create(input, options),
    open: (id) => this.#copy.sessions.open(id),
    restore: (id, input) => this.#copy.sessions.restore(id, input),
  }

  readonly importSources: ImportPlace['importSources'] = {
    get: (id) => this.#copy.importSources.get(id),
    put: async (id, source, options) => {
      await this.send()
      return this.#copy.importSources.put(id, source, options)
    },
  }

  /** Sends what is new here, after what is being sent: several at once would send the same. */
  send(): Promise<void> {
    this.#sending = this.#sendAfter(this.#sending)
    return this.#sending
  }

  async close(): Promise<void> {
    await this.#copy.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #fetch(id: string): Promise<void> {
    const fetched = this.#fetched.get(id) ?? this.#fetchOnce(id)
    this.#fetched.set(id, fetched)
    return fetched
  }

  async #fetchOnce(id: string): Promise<void> {
    const session = await this.#open(id)
    if (!session) return
    await importLog(this.#copy, logLines(session), { name: id })
    const copied = await this.#copy.sessions.get(id)
    if (copied) this.#sent.set(id, copied.seq)
  }

  async #open(id: string): Promise<PlaceSession | undefined> {
    try {
      return await this.#server.sessions.open(id)
    } catch (error) {
      if (isHoldfastError(error, 'not_found')) return undefined
      throw error
    }
  }

  /** A failure is told to those who asked for that sending. */
  async #sendAfter(before: Promise<void> | undefined): Promise<void> {
    await Promise.allSettled([before])
    for (const id of [...this.#changed]) {
      this.#changed.delete(id)
      const session = await this.#copy.sessions.open(id)
      const { seq } = await session.view()
      const after = this.#sent.get(id) ?? 0
      if (seq === after) continue
      const lines: string[] = []
      for await (const line of logLines(session, after)) lines.push(line)
      await this.#client.importSession(`${lines.join('\n')}\n`)
      this.#sent.set(id, seq)
    }
  }
}
