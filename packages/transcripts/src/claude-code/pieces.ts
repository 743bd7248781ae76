/** A message of the model as those that it is written as: one, unless it has more parts or calls than one may have. */
import type { HostCommand } from '@holdfast/core'
import { limits, type MessagePart } from '@holdfast/protocol'
import type { Step } from '../batch.ts'
import { repeatedCall } from '../repeated-call.ts'
import type { Entry } from './entry.ts'
import { partOf } from './parts.ts'

export interface Piece {
  parts: MessagePart[]
  /** Results of its calls and what is told of them; what is told of no call stays behind what it came after. */
  after: Step[]
  /** Calls without a result. */
  open: Set<string>
}

export function piecesOf({ entries, after }: { entries: readonly Entry[]; after: readonly Step[] }): Piece[] {
  const pieces = split(entries.flatMap(({ blocks }) => blocks.map(partOf)))
  const calling = new Map(pieces.flatMap((piece) => [...piece.open].map((callId) => [callId, piece])))
  let last = pieces[0]
  for (const step of after) {
    last = calling.get(callIdOf(step.command) ?? '') ?? last
    last?.after.push(step)
    if (step.command.type === 'finishTool') last?.open.delete(step.command.callId)
  }
  return pieces
}

function split(parts: readonly MessagePart[]): Piece[] {
  const pieces: Piece[] = []
  const called = new Set<string>()
  for (const told of parts) {
    const isRepeated = told.type === 'tool_call' && called.has(told.callId)
    const part = isRepeated ? repeatedCall(told) : told
    const last = pieces.at(-1)
    const piece = last && hasRoom(last, part) ? last : { parts: [], after: [], open: new Set<string>() }
    if (piece !== last) pieces.push(piece)
    piece.parts.push(part)
    if (part.type !== 'tool_call') continue
    piece.open.add(part.callId)
    called.add(part.callId)
  }
  return pieces
}

function hasRoom({ parts, open }: Piece, { type }: MessagePart): boolean {
  return parts.length < limits.messageParts && (type !== 'tool_call' || open.size < limits.openCalls)
}

function callIdOf(command: HostCommand): string | undefined {
  return 'callId' in command ? command.callId : undefined
}
