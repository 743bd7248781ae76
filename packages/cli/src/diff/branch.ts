/** What one side of a comparison has of its own: messages, tool calls, tokens, cost. */
import type { Message } from '@holdfast/protocol'
import type { Place } from '../place/place.ts'

export interface Branch {
  sessionId: string
  messages: Message[]
  /** Calls by the name of the tool. */
  toolCalls: Record<string, number>
  promptTokens: number
  completionTokens: number
  costMicrocents: number
  costUnknown: number
}

const pageItems = 500

/** What stands after `commonSeq`. */
export async function readBranch(holdfast: Place, sessionId: string, commonSeq: number): Promise<Branch> {
  const messages = await messagesAfter(holdfast, sessionId, commonSeq)
  const branch: Branch = {
    sessionId,
    messages,
    toolCalls: toolCallsOf(messages),
    promptTokens: 0,
    completionTokens: 0,
    costMicrocents: 0,
    costUnknown: 0,
  }
  for (let after: number | undefined = commonSeq; after !== undefined; ) {
    const { rows, next } = await holdfast.usage.list(sessionId, { after, limit: pageItems })
    for (const usage of rows) {
      branch.promptTokens += usage.promptTokens
      branch.completionTokens += usage.completionTokens
      branch.costMicrocents += usage.costMicrocents ?? 0
      branch.costUnknown += usage.costMicrocents === undefined ? 1 : 0
    }
    after = next
  }
  return branch
}

/** What waits ends every page that reaches the end: it counts once. */
async function messagesAfter(holdfast: Place, sessionId: string, seq: number): Promise<Message[]> {
  const session = await holdfast.sessions.open(sessionId)
  const found: Message[] = []
  for (let after = String(seq); ; ) {
    const { messages, newer } = await session.messages({ after, limit: pageItems })
    const entered = messages.filter(({ waiting }) => waiting === undefined)
    found.push(...(entered.length > 0 ? entered : messages))
    if (entered.length === 0) return found
    after = newer
  }
}

function toolCallsOf(messages: readonly Message[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const part of messages.flatMap(({ parts }) => parts)) {
    if (part.type === 'tool_call') counts[part.name] = (counts[part.name] ?? 0) + 1
  }
  return counts
}
