/** What stands in the context: one entry for each message and each summary in force, by its place in the view. */
import type { ContextState, UnseenSession } from '@holdfast/core'
import { type EventData, isErased, limits, type MessagePart, type SessionEvent } from '@holdfast/protocol'

export interface Entry {
  /** Seq at which it stands in the view. */
  place: number
  role: 'user' | 'assistant' | 'tool' | 'summary'
  parts: readonly MessagePart[]
  /** It stays, whatever covers its place. A call and its results stay together. */
  stays?: true
}

export interface Standing {
  /** In the order of the view. */
  entries: Entry[]
  /** Seqs after which no call is open: where a range may end. */
  ends: number[]
}

/** Reads what the context shows, and nothing that a summary covers. */
export async function readEntries(session: UnseenSession, state: ContextState): Promise<Standing> {
  const events: SessionEvent[] = []
  for (const { from, to } of state.uncovered) events.push(...(await eventsOf(session, from, to)))
  const standing = standingOf(events)
  keepTogether(standing.entries)
  for (const { from, to, seq } of state.overlays) {
    const [event] = await eventsOf(session, seq, seq)
    if (!event || isErased(event)) continue
    const { summary: text } = event.data as EventData<'compaction.applied'>
    standing.entries.push({ place: from, role: 'summary', parts: [{ type: 'text', text }] })
    standing.ends.push(to)
  }
  standing.entries.sort((a, b) => a.place - b.place)
  standing.ends.sort((a, b) => a - b)
  return standing
}

async function eventsOf(session: UnseenSession, from: number, through: number): Promise<SessionEvent[]> {
  const events: SessionEvent[] = []
  for (let after = from - 1; ; ) {
    const page = await session.events({ after, through, limit: limits.pageItems })
    events.push(...page.events)
    after = page.events.at(-1)?.seq ?? after
    if (!page.more) return events
  }
}

type Waiting = Pick<Entry, 'parts' | 'stays'>

/** Results stand with the newest message of the assistant before them. */
function keepTogether(entries: readonly Entry[]): void {
  let group: Entry[] = []
  for (const entry of entries) {
    if (entry.role === 'assistant') group = []
    if (entry.role !== 'assistant' && entry.role !== 'tool') continue
    group.push(entry)
    if (group.some(({ stays }) => stays)) for (const one of group) one.stays = true
  }
}

function standingOf(events: readonly SessionEvent[]): Standing {
  const waiting = new Map<string, Waiting>()
  const standing: Standing = { entries: [], ends: [] }
  let open = 0
  for (const event of events) {
    if (isErased(event)) continue
    open += callsOpenedBy(event)
    standing.entries.push(...entriesOf(event, waiting))
    if (open <= 0) standing.ends.push(event.seq)
  }
  return standing
}

function callsOpenedBy({ type, data }: SessionEvent): number {
  if (type === 'tool.finished') return -1
  if (type !== 'message.appended') return 0
  return (data as EventData<'message.appended'>).parts.filter((part) => part.type === 'tool_call').length
}

/** Input that waited stands where it was taken in. */
function entriesOf({ type, seq: place, data }: SessionEvent, waiting: Map<string, Waiting>): Entry[] {
  switch (type) {
    case 'message.appended': {
      const { role, parts, waiting: waits, messageId, neverCompress } = data as EventData<'message.appended'>
      const message = { parts, ...(neverCompress && { stays: true as const }) }
      if (waits) waiting.set(messageId ?? String(place), message)
      return waits || role === 'system' ? [] : [{ place, role, ...message }]
    }
    case 'input.delivered': {
      const { messageIds } = data as EventData<'input.delivered'>
      return messageIds.map((id) => ({ place, role: 'user', parts: [], ...waiting.get(id) }))
    }
    case 'tool.finished': {
      const { callId, output, outcome, neverCompress } = data as EventData<'tool.finished'>
      const parts: MessagePart[] = [{ type: 'tool_result', callId, output, outcome }]
      return [{ place, role: 'tool', parts, ...(neverCompress && { stays: true }) }]
    }
    default:
      return []
  }
}
