/** Saved graph states of a session, each named by an event, put where the event is already. */
import { type EventData, isErased, type TenantId } from '@holdfast/protocol'
import type { FoldEvent } from '../../session/state.ts'
import type { CheckpointRow, Store } from '../../store/store.ts'

/** What a thread's newest one is asked for by. */
export type Line = Pick<CheckpointRow, 'threadId' | 'namespace'>

type Found = CheckpointRow & { sessionId: string }

export class CheckpointCopy {
  readonly #tenantId: TenantId
  readonly #from: Store
  readonly #to: Store
  /** Threads and namespaces that were met. */
  readonly #lines = new Map<string, Line>()

  constructor(tenantId: TenantId, from: Store, to: Store) {
    this.#tenantId = tenantId
    this.#from = from
    this.#to = to
  }

  /** Puts what the event names, unless it is there. True: it was not. */
  async ofEvent(sessionId: string, event: FoldEvent): Promise<boolean> {
    if (event.type !== 'checkpoint.saved' || isErased(event)) return false
    const { threadId, namespace, checkpointId } = event.data as EventData<'checkpoint.saved'>
    this.#lines.set(JSON.stringify([threadId, namespace]), { threadId, namespace })
    const row = await this.#from.readCheckpoint(this.#tenantId, threadId, namespace, checkpointId)
    // Another session may have put one of the same name since: then it is that session's.
    if (row?.sessionId !== sessionId) return false
    const there = await this.#to.readCheckpoint(this.#tenantId, threadId, namespace, checkpointId)
    if (there && isSame(there, row)) return false
    await this.#put(row)
    return true
  }

  /** Sessions may share a thread: once all are copied, its newest is made the newest. */
  async finish(): Promise<void> {
    for (const { threadId, namespace } of this.#lines.values()) {
      const newest = await this.#from.readCheckpoint(this.#tenantId, threadId, namespace)
      const there = await this.#to.readCheckpoint(this.#tenantId, threadId, namespace)
      if (!newest || (there && isSame(there, newest))) continue
      if (await this.#to.readHead(this.#tenantId, newest.sessionId)) await this.#put(newest)
    }
  }

  async #put(row: Found): Promise<void> {
    const bodies: { hash: string; body: string }[] = []
    for (const hash of new Set(Object.values(row.channels))) {
      if (await this.#to.readAttachment(this.#tenantId, row.sessionId, hash)) continue
      const bytes = await this.#from.readAttachment(this.#tenantId, row.sessionId, hash)
      if (bytes) bodies.push({ hash, body: Buffer.from(bytes).toString() })
    }
    await this.#to.putCheckpoint({ tenantId: this.#tenantId, ...row, bodies })
  }
}

function isSame(one: Found, other: Found): boolean {
  return textOf(one) === textOf(other)
}

function textOf({ sessionId, checkpointId, parentId, channels }: Found): string {
  return JSON.stringify([sessionId, checkpointId, parentId, Object.entries(channels).toSorted()])
}
