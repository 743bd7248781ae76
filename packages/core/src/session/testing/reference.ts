/**
 * The counters of a session, worked out a second time: from the whole log, by lists of what is visible, in the plainest
 * way. Shares no code with the fold, which must agree with it.
 */

interface LogEvent {
  seq: number
  type: string
  data: unknown
}

interface Shown {
  id: string
  role: string
  place: number
  /** The user message that this complete final answer replies to. */
  answerTo?: string
  calls: string[]
  resultOf?: string
}

export interface Reference {
  counters: Record<string, number | boolean>
  /** Ids of the visible messages, in order. */
  visible: string[]
  /** Visible user messages without an answer, in order. */
  unanswered: string[]
  openCalls: string[]
}

export function referenceOf(events: readonly LogEvent[]): Reference {
  let shown: Shown[] = []
  let waiting: Shown[] = []
  let undone: Shown[][] = []
  const sums: Record<string, number | boolean> = { ...zero }

  for (const { seq, type, data: raw } of events) {
    // biome-ignore lint/suspicious/noExplicitAny: the plainest reading of a log
    const data = raw as any
    if (type === 'message.appended') {
      undone = []
      const message = shownMessage(seq, data)
      if (data.waiting) waiting.push(message)
      else shown = [...shown, message]
    } else if (type === 'tool.finished') {
      undone = []
      shown = [
        ...shown,
        { id: data.messageId ?? String(seq), role: 'tool', place: seq, calls: [], resultOf: data.callId },
      ]
    } else if (type === 'input.delivered') {
      const arrived = waiting.filter((message) => data.messageIds.includes(message.id))
      shown = [...shown, ...arrived.map((message) => ({ ...message, place: seq }))]
      waiting = waiting.filter((message) => !arrived.includes(message))
    } else if (type === 'message.truncated' || type === 'message.edited') {
      undone = data.mode === 'undo' ? [...undone, shown] : []
      shown = shown.filter((message) => message.place <= data.keepThrough)
    } else if (type === 'message.restored') {
      shown = undone.pop() ?? []
    } else if (type === 'session.forked') {
      Object.assign(sums, zero)
      undone = []
    } else if (type === 'run.completed') add(sums, { turnCount: 1 })
    else if (type === 'round.completed') add(sums, { roundCount: 1 })
    else if (type === 'usage.recorded') addUsage(sums, data)
  }

  const answered = shown.flatMap((message) => message.answerTo ?? [])
  const users = shown.filter((message) => message.role === 'user')
  const unanswered = users.filter((message) => !answered.includes(message.id)).map((message) => message.id)
  const counted = {
    messageCount: shown.length + waiting.length,
    exchangeCount: users.length - unanswered.length,
  }
  return {
    counters: { ...sums, ...counted },
    visible: shown.map((m) => m.id),
    unanswered,
    openCalls: openCalls(shown),
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the plainest reading of a log
function shownMessage(seq: number, data: any): Shown {
  const isAnswer = data.role === 'assistant' && data.phase === 'final_answer' && data.finish === 'complete'
  return {
    id: data.messageId ?? String(seq),
    role: data.role,
    place: seq,
    calls: data.parts
      .filter((part: { type: string }) => part.type === 'tool_call')
      .map((part: { callId: string }) => part.callId),
    ...(isAnswer && data.replyTo !== undefined && { answerTo: data.replyTo }),
  }
}

function openCalls(shown: readonly Shown[]): string[] {
  const last = shown.findLastIndex((message) => message.calls.length > 0)
  const results = shown.slice(last + 1).map((message) => message.resultOf)
  return (shown[last]?.calls ?? []).filter((callId) => !results.includes(callId))
}

const zero = {
  turnCount: 0,
  roundCount: 0,
  promptTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  cachedReadTokens: 0,
  cachedWriteTokens: 0,
  costMicrocents: 0,
  costUnknown: 0,
  costEstimated: false,
}

function add(sums: Record<string, number | boolean>, more: Record<string, number>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = Number(sums[name]) + count
}

// biome-ignore lint/suspicious/noExplicitAny: the plainest reading of a log
function addUsage(sums: Record<string, number | boolean>, data: any): void {
  const {
    promptTokens,
    completionTokens,
    reasoningTokens,
    cachedReadTokens,
    cachedWriteTokens,
    costMicrocents,
  } = data
  add(sums, { promptTokens, completionTokens, reasoningTokens, cachedReadTokens, cachedWriteTokens })
  add(sums, costMicrocents === undefined ? { costUnknown: 1 } : { costMicrocents })
  if (data.estimated) sums.costEstimated = true
}
