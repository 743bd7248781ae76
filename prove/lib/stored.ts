/** A session as the store has it, read through the seam and parsed here, without the engine's own decoding. */
import type { FoldEvent, Store } from '@holdfast/core'
import { DEFAULT_TENANT } from '@holdfast/protocol'
import { Kept } from './kept.ts'

export interface RawEvent extends FoldEvent {
  commitId: string
  data: Record<string, unknown>
}

export interface StoredSession {
  sessionId: string
  headSeq: number
  head: Record<string, unknown>
  events: RawEvent[]
}

export async function readSession(store: Store, sessionId: string): Promise<StoredSession | undefined> {
  const head = await store.readHead(DEFAULT_TENANT, sessionId)
  if (!head) return undefined
  return {
    sessionId,
    headSeq: head.seq,
    head: heads.of(`${sessionId} ${head.seq}`, head.body, () => JSON.parse(head.body)),
    events: await readEvents(store, sessionId),
  }
}

async function readEvents(store: Store, sessionId: string): Promise<RawEvent[]> {
  const events: RawEvent[] = []
  for (;;) {
    const range = {
      after: events.at(-1)?.seq ?? 0,
      limit: 500,
      maxBytes: 1 << 20,
      direction: 'forward',
    } as const
    const page = await store.readEvents(DEFAULT_TENANT, sessionId, range)
    if (page.length === 0) return events
    events.push(...page.map(parse))
  }
}

/** The same event read again is the same object. */
const events = new Kept<RawEvent>(20_000)
const heads = new Kept<StoredSession['head']>(2_000)

function parse({ body, ...row }: Awaited<ReturnType<Store['readEvents']>>[number]): RawEvent {
  const name = `${row.commitId} ${row.seq} ${row.type} ${row.at}`
  return events.of(name, body, () => ({ ...row, ...JSON.parse(body) }))
}
