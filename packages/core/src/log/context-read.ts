/**
 * What a model would be sent now, at the cost of what it shows: the visible path without the stretches that a compaction
 * covers, the summaries, and the protected messages of those stretches. A cut may take the event that holds a summary off
 * the path while the messages that it stands for stay: so summaries are read by their own seq.
 */

import type { ContextUsage, PromptManifest } from '@holdfast/protocol'
import { type ProviderMessage, providerView } from '../context/provider-view.ts'
import { contextView, type ViewState, viewStateOf } from '../context/view.ts'
import { closePath, outsideOf } from '../session/path.ts'
import type { FoldEvent, Head, ProviderContextHead } from '../session/state.ts'
import { CoveredReader } from './covered-read.ts'
import type { LogReads } from './log-reads.ts'

/** What whoever compacts must know, of one moment. */
export interface ContextState {
  /** To be given with the compaction: it is refused when the path changed since. */
  pathSeq: number
  /** Visible stretches that no compaction covers, in order; both ends included. */
  uncovered: { from: number; to: number }[]
  /** Compactions in force; `seq` is that of the event that holds the summary. */
  overlays: { compactionId: string; from: number; to: number; seq: number }[]
  /** Tool outputs through this seq are shown shortened. */
  trimmedThrough?: number
  /** How large the last measured call was, and what it was sent, as far as its worker said so. */
  lastCall: { usage?: ContextUsage; manifest?: PromptManifest }
  /** What a provider holds of the session, to go on from. */
  providerContext?: ProviderContextHead
}

export async function readContextState(reads: LogReads, sessionId: string): Promise<ContextState> {
  const { state } = await reads.requireHead(sessionId)
  const { seq, pathSeq } = state.head
  const parts = await reads.readParts(sessionId, ['path', 'compaction', 'context'], seq)
  const { ranges, overlays = [], trimmedThrough } = viewStateOf({ head: state.head, parts })
  const { usage, manifest } = parts.context ?? {}
  const { providerContext } = state.head
  return {
    pathSeq,
    uncovered: outsideOf(closePath(ranges, seq), overlays),
    overlays: overlays.map(({ compactionId, from, to, seq: at }) => ({ compactionId, from, to, seq: at })),
    ...(trimmedThrough !== undefined && { trimmedThrough }),
    lastCall: { ...(usage && { usage }), ...(manifest && { manifest }) },
    ...(providerContext && { providerContext }),
  }
}

export async function readProviderView(reads: LogReads, sessionId: string): Promise<ProviderMessage[]> {
  const { head } = (await reads.requireHead(sessionId)).state
  const { events, viewState } = await readContext(reads, sessionId, head)
  return providerView(contextView(events, viewState))
}

/** The events that the context of this moment is made of. */
export async function readContext(
  reads: LogReads,
  sessionId: string,
  head: Head,
): Promise<{ events: FoldEvent[]; viewState: ViewState }> {
  const { seq } = head
  const parts = await reads.readParts(sessionId, ['path', 'compaction', 'context'], seq)
  const viewState = viewStateOf({ head, parts })
  const { ranges, overlays = [] } = viewState
  const covered = new CoveredReader(reads, sessionId, seq)
  for (const { from, to } of outsideOf(closePath(ranges, seq), overlays)) {
    for await (const event of reads.events(sessionId, from - 1, to)) covered.add(event)
  }
  for (const overlay of overlays) await covered.need(overlay.seq)
  if (overlays.length > 0) await covered.complete()
  return { events: covered.events, viewState }
}
