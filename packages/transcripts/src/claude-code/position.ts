/** How far a Claude Code file was read, and on which of its branches. */
import type { JsonObject } from '@holdfast/protocol'
import { type LinePosition, lineAt, linePositionOf } from '../line-position.ts'
import type { Reach } from './run.ts'

export interface Position extends LinePosition {
  /** The last line of the conversation up to here. */
  said: number
  /** The message that the conversation led to. */
  leaf: string | undefined
  /** The last line ever imported; beyond `line` when the user has gone back since. */
  seen: number
  /** Nothing that was said up to here has named the session. */
  unnamed: boolean
  /** The message that begins there was written in part. */
  isUnfinished: boolean
  /** Something was cut off before: the ids of messages up to `seen` may be taken. */
  cut: boolean
}

export function positionAt(
  read: Reach,
  {
    leaf,
    seen,
    isNamed,
    isUnfinished,
    cut,
  }: Pick<Position, 'leaf' | 'seen' | 'isUnfinished' | 'cut'> & { isNamed: boolean },
): JsonObject {
  const place = { ...lineAt(read.line), said: read.said, seen: Math.max(seen, read.line.number) }
  return {
    ...place,
    ...(leaf !== undefined && { leaf }),
    ...(!isNamed && { unnamed: true }),
    ...(isUnfinished && { unfinished: true }),
    ...(cut && { cut }),
  }
}

/** Undefined when the note was not written by this reader. */
export function positionOf(data: JsonObject | undefined): Position | undefined {
  const place = linePositionOf(data)
  const { said, seen, leaf, unnamed, unfinished, cut } = data ?? {}
  if (!place || typeof said !== 'number' || typeof seen !== 'number') return undefined
  return {
    ...place,
    said,
    seen,
    leaf: typeof leaf === 'string' ? leaf : undefined,
    unnamed: unnamed === true,
    isUnfinished: unfinished === true,
    cut: cut === true,
  }
}
