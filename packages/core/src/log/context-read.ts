/** What a model would be sent now, read from the visible path alone: abandoned branches are not looked at. */

import { type ProviderMessage, providerView } from '../context/provider-view.ts'
import { contextView, viewStateOf } from '../context/view.ts'
import { closePath } from '../session/path.ts'
import type { FoldEvent } from '../session/state.ts'
import type { LogReads } from './log-reads.ts'

export async function readProviderView(reads: LogReads, sessionId: string): Promise<ProviderMessage[]> {
  const { state } = await reads.requireHead(sessionId)
  const { seq } = state.head
  const parts = await reads.readParts(sessionId, ['path', 'compaction', 'context'], seq)
  const viewState = viewStateOf({ head: state.head, parts })
  const events: FoldEvent[] = []
  for (const { from, to } of closePath(viewState.ranges, seq)) {
    for await (const event of reads.events(sessionId, from - 1, to)) events.push(event)
  }
  return providerView(contextView(events, viewState))
}
