/** From the events that carry a message to the message as it is read. */
import { type EventData, isErased, type Message } from '@holdfast/protocol'
import { messageIdOf } from './fold/messages.ts'
import type { FoldEvent } from './state.ts'

/** Undefined for an event that is no message. An erased message keeps its place, its role and the ids of its calls. */
export function messageOf(event: FoldEvent): Message | undefined {
  if (event.type === 'message.appended') return appended(event, event.data as EventData<'message.appended'>)
  if (event.type === 'tool.finished') return toolMessage(event, event.data as EventData<'tool.finished'>)
  return undefined
}

function appended(event: FoldEvent, data: EventData<'message.appended'>): Message {
  const {
    role,
    parts,
    phase,
    replyTo,
    author,
    neverCompress,
    finish,
    seedId,
    phaseReached,
    evaluationPassed,
    citations,
    waiting,
  } = data
  return {
    ...placeOf(event, data),
    role,
    parts,
    ...(phase && { phase }),
    ...(replyTo !== undefined && { replyTo }),
    ...(author !== undefined && { author }),
    ...(neverCompress !== undefined && { neverCompress }),
    ...(finish && { finish }),
    ...(seedId !== undefined && { seedId }),
    ...(phaseReached && { phaseReached }),
    ...(evaluationPassed !== undefined && { evaluationPassed }),
    ...(citations && { citations }),
    ...(waiting && { waiting }),
  }
}

/** The result is the tool message: nothing is stored twice. */
function toolMessage(event: FoldEvent, data: EventData<'tool.finished'>): Message {
  const { callId, output, outcome, provider, neverCompress } = data
  return {
    ...placeOf(event, data),
    role: 'tool',
    parts: [{ type: 'tool_result', callId, output, outcome, ...(provider && { provider }) }],
    ...(neverCompress !== undefined && { neverCompress }),
  }
}

function placeOf(event: FoldEvent, data: { messageId?: string | undefined }) {
  const { seq, at, runId, roundId } = event
  return {
    id: messageIdOf(data, event),
    seq,
    at,
    ...(runId !== undefined && { runId }),
    ...(roundId !== undefined && { roundId }),
    ...(isErased(event) && { erased: true as const }),
  }
}
