/** What stands in the context: one entry for each message and each summary in force, by its place in the view. */
import type { ContextState, UnseenSession } from '@holdfast/core'
import { type EventData, isErased, limits, type MessagePart, type SessionEvent } from '@holdfast/protocol'

export interface Entry {
  /** Seq at which it stands in the view. */
  place: number
  role: 'user' | 'assistant' | 'tool' | 'summary'
  parts: readonly MessagePart[]
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

function standingOf(events: readonly SessionEvent[]): Standing {
  const waiting = new Map<string, readonly MessagePart[]>()
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
function entriesOf(
  { type, seq: place, data }: SessionEvent,
  waiting: Map<string, readonly MessagePart[]>,
): Entry[] {
  switch (type) {
    case 'message.appended': {
      const { role, parts, waiting: waits, messageId } = data as EventData<'message.appended'>
      if (waits) waiting.set(messageId ?? String(place), parts)
      return waits || role === 'system' ? [] : [{ place, role, parts }]
    }
    case 'input.delivered': {
      const { messageIds } = data as EventData<'input.delivered'>
      return messageIds.map((id) => ({ place, role: 'user', parts: waiting.get(id) ?? [] }))
    }
    case 'tool.finished': {
      const { callId, output, outcome } = data as EventData<'tool.finished'>
      return [{ place, role: 'tool', parts: [{ type: 'tool_result', callId, output, outcome }] }]
    }
    default:
      return []
  }
}
