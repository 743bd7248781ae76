/**
 * Is the view that a provider is sent valid: judged by the rules of two providers that share nothing with what makes the
 * view. A call and its results never leave their step, so a long view is judged piece by piece, cut before an answer.
 */
import type { EventData } from '@holdfast/protocol'
import { type ProviderMessage, providerView } from '../../context/provider-view.ts'
import { anthropicFaults, openAiFaults } from '../../context/validators.ts'
import { contextView, viewStateOf } from '../../context/view.ts'
import { closePath, isVisible, outsideOf } from '../../session/path.ts'
import type { FoldEvent, PathRange, State } from '../../session/state.ts'
import type { LogReads } from '../log-reads.ts'

/** Events of a piece, at least; its last step may be longer. */
const pieceEvents = 1_000

/** What is wrong with the view now, in what no compaction covers. */
export async function* viewFaults(reads: LogReads, state: State): AsyncGenerator<string> {
  for await (const piece of viewPieces(reads, state)) {
    yield* anthropicFaults(piece)
    yield* openAiFaults(piece)
  }
}

/** The view, but for what compactions cover, in pieces of whole steps. */
export async function* viewPieces(reads: LogReads, state: State): AsyncGenerator<ProviderMessage[]> {
  const { id, seq } = state.head
  const { ranges, overlays = [] } = viewStateOf(state)
  let piece: FoldEvent[] = []
  for (const { from, to } of outsideOf(closePath(ranges, seq), overlays)) {
    for await (const event of reads.events(id, from - 1, to)) {
      if (piece.length >= pieceEvents && isAnswer(event, ranges)) {
        yield providerView(contextView(piece, { ranges }))
        piece = piece.filter(isWaiting)
      }
      piece.push(event)
    }
  }
  yield providerView(contextView(piece, { ranges }))
}

function isAnswer({ type, data, seq }: FoldEvent, ranges: readonly PathRange[]): boolean {
  return type === 'message.appended' && isVisible(ranges, seq) && messageIn(data).role === 'assistant'
}

/** It may be delivered in a later piece. */
function isWaiting({ type, data }: FoldEvent): boolean {
  return type === 'message.appended' && messageIn(data).waiting !== undefined
}

function messageIn(data: unknown): EventData<'message.appended'> {
  return data as EventData<'message.appended'>
}
