/** What becomes of the compactions in force when the path changes. */
import type { CompactionPart, Overlay } from './state.ts'

/** Those behind the cut go. With `undoSeq` they are kept aside, after those of the undos before it. */
export function cutOverlays(
  part: CompactionPart | undefined,
  keepThrough: number,
  undo?: { undoSeq: number; isFirst: boolean },
): CompactionPart | null {
  if (!part) return null
  const { undone: before = [], ...rest } = part
  const overlays = part.overlays.filter(({ to }) => to <= keepThrough)
  if (!undo) return { ...rest, overlays }
  const dropped = part.overlays.filter(({ to }) => to > keepThrough)
  return {
    ...rest,
    overlays,
    undone: [...(undo.isFirst ? [] : before), { undoSeq: undo.undoSeq, overlays: dropped }],
  }
}

/**
 * Those that the undo took away come back, but for the place of one made since. One that was made without the dropped
 * messages cannot stand over them.
 */
export function restoreOverlays(part: CompactionPart | undefined, undoSeq: number): CompactionPart | null {
  if (!part) return null
  const { undone = [], ...rest } = part
  const standing = part.overlays.filter(({ to }) => to < undoSeq)
  const back = undone
    .filter((one) => one.undoSeq === undoSeq)
    .flatMap(({ overlays }) => overlays.filter((overlay) => !standing.some((other) => touch(overlay, other))))
  const left = undone.filter((one) => one.undoSeq < undoSeq)
  const overlays = [...standing, ...back].sort((a, b) => a.from - b.from)
  return { ...rest, overlays, ...(left.length > 0 && { undone: left }) }
}

function touch(a: Overlay, b: Overlay): boolean {
  return a.from <= b.to && b.from <= a.to
}
