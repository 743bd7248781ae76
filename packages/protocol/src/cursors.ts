import { HoldfastError } from './errors.ts'
import { idPattern } from './ids.ts'

/**
 * Where a reader stands: everything up to and including `seq` was seen, and of the draft in the making its chunks
 * up to `chunk`. Written `12` or `12:draft_id:3`.
 */
export interface Cursor {
  seq: number
  draft?: { draftId: string; chunk: number }
}

export const START: Cursor = { seq: 0 }

export function encodeCursor(cursor: Cursor): string {
  return cursor.draft ? `${cursor.seq}:${cursor.draft.draftId}:${cursor.draft.chunk}` : String(cursor.seq)
}

/** Throws `invalid_cursor`. */
export function decodeCursor(text: string): Cursor {
  const [seqText, draftId, chunkText, ...rest] = text.split(':')
  const seq = wholeNumber(seqText, text)
  if (draftId === undefined) return { seq }
  if (rest.length > 0 || !idPattern.test(draftId)) throw invalid(text)
  return { seq, draft: { draftId, chunk: wholeNumber(chunkText, text) } }
}

function wholeNumber(digits: string | undefined, cursor: string): number {
  if (digits === undefined || !/^(0|[1-9]\d{0,15})$/.test(digits)) throw invalid(cursor)
  const value = Number(digits)
  if (!Number.isSafeInteger(value)) throw invalid(cursor)
  return value
}

function invalid(cursor: string): HoldfastError {
  return new HoldfastError(
    'invalid_cursor',
    `"${cursor.slice(0, 64)}" is not a cursor; use one that a read or a stream gave you.`,
  )
}
