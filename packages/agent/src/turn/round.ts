/** A round: one model call, its answer made durable, its tool calls run. */
import type { HostCommand } from '@holdfast/core'
import type { MessageInput, MessagePart } from '@holdfast/protocol'
import type { Reply } from '../model/reply.ts'
import { runCalls } from '../tools/run-calls.ts'
import { type Answer, askModel } from './ask-model.ts'
import { prepare } from './prepare.ts'
import type { Turn } from './turn.ts'

/** Whether the run has ended with this round. */
export async function runRound(turn: Turn): Promise<boolean> {
  const prepared = await prepare(turn)
  await turn.run.batch([...endOfRound(turn), { type: 'startRound' }])
  turn.rounds += 1
  turn.steering = 0
  const answer = await askModel(turn, prepared)
  if (answer.reply.calls.length > 0) {
    await turn.run.batch(said(answer))
    turn.open = [...answer.reply.calls]
    await runCalls(turn)
    return false
  }
  return finish(turn, answer)
}

/** Input that steers the run came meanwhile: the answer stands, and the run goes on with it. */
async function finish(turn: Turn, answer: Answer): Promise<boolean> {
  const isLast = turn.steering === 0
  const end: HostCommand[] = isLast ? [{ type: 'completeRound' }, { type: 'completeRun' }] : []
  await turn.run.batch([...said(answer), ...end])
  return isLast
}

/** The round before is completed in the commit that begins the next one. */
export function endOfRound({ run }: Turn): HostCommand[] {
  return 'roundId' in run && run.roundId !== undefined ? [{ type: 'completeRound' }] : []
}

function said({ reply, draftId, usage }: Answer): HostCommand[] {
  const message = { role: 'assistant' as const, parts: partsOf(reply), finish: finishOf(reply) }
  return [
    { type: 'append', message, draftId },
    { type: 'recordUsage', usage },
  ]
}

function partsOf(reply: Reply): MessagePart[] {
  const parts = reply.parts()
  return parts.length > 0 ? parts : [{ type: 'text', text: '' }]
}

function finishOf({ finish }: Reply): NonNullable<MessageInput['finish']> {
  switch (finish?.unified) {
    case 'length':
      return 'length'
    case 'content-filter':
      return 'filtered'
    case 'error':
      return 'error'
    default:
      return 'complete'
  }
}
