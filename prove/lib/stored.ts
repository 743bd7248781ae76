/** A session as the store has it, read through the seam and parsed here, without the engine's own decoding. */
import type { FoldEvent, Store } from '@holdfast/core'
import { DEFAULT_TENANT } from '@holdfast/protocol'

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
    head: JSON.parse(head.body),
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

function parse({ body, ...row }: Awaited<ReturnType<Store['readEvents']>>[number]): RawEvent {
  return { ...row, ...parsed(row.type, body) }
}

/** Many images of one file hold the same events: each is parsed once, and its data is then the same object. */
const known = new Map<string, Pick<RawEvent, 'actor' | 'data'>>()
const mostKnown = 20_000

function parsed(type: string, body: string): Pick<RawEvent, 'actor' | 'data'> {
  const name = `${type} ${body}`
  const found = known.get(name)
  if (found) return found
  if (known.size >= mostKnown) known.clear()
  const made = JSON.parse(body)
  known.set(name, made)
  return made
}
