/**
 * What becomes of text that a run was still writing: the newest draft of the run becomes a message that says it was
 * interrupted. Older ones were attempts that it took the place of.
 */
import { limits, type MessagePart, utf8Bytes } from '@holdfast/protocol'
import { type Deciding, type Draft, type DraftPiece, type NewEvent, readDraft } from '../deciding.ts'
import type { Head } from '../state.ts'

export function newestOf<T extends Pick<Draft, 'runId' | 'epoch'>>(
  drafts: readonly T[],
  runId: string,
): T | undefined {
  const own = drafts.filter((draft) => draft.runId === runId)
  return own.toSorted((a, b) => a.epoch - b.epoch).at(-1)
}

/** The interrupted message, if its draft has text. */
export function* keepDraft(head: Head, draft: Draft, lane: { run?: true }): Deciding<NewEvent[]> {
  const parts = interruptedParts(yield* readDraft(draft.draftId))
  if (parts.length === 0) return []
  const message = { role: 'assistant', parts, phase: 'final_answer', finish: 'interrupted' } as const
  const reply = head.lastUser && { replyTo: head.lastUser.id }
  const data = { ...message, ...reply, draftId: draft.draftId }
  return [{ type: 'message.appended', data, ...lane }]
}

/** Room for the fields around the parts. */
const envelopeBytes = 64 * 1024
/** `{"type":"reasoning","text":},` */
const partBytes = 32

/** As much of a draft as one event may hold: text may grow sixfold as JSON, and the run must end all the same. */
export function interruptedParts(pieces: readonly DraftPiece[]): MessagePart[] {
  const parts: { type: 'text' | 'reasoning'; text: string }[] = []
  let room = limits.eventBytes - envelopeBytes
  for (const [index, { kind, text }] of pieces.entries()) {
    const last = parts.at(-1)
    const joins = last?.type === kind
    room -= jsonBytes(text) + (joins ? 0 : partBytes)
    if (room < 0 || (!joins && parts.length === limits.messageParts - 1)) {
      return [...parts, { type: 'text', text: cutMarker(pieces.slice(index)) }]
    }
    if (joins) last.text += text
    else parts.push({ type: kind, text })
  }
  return parts
}

function cutMarker(rest: readonly DraftPiece[]): string {
  const bytes = rest.reduce((sum, { text }) => sum + utf8Bytes(text), 0)
  return `[cut: ${bytes} bytes of the interrupted text]`
}

function jsonBytes(text: string): number {
  return utf8Bytes(JSON.stringify(text))
}
