/** The visible path of a log: the ranges of seqs that a reader sees, in order. */
import type { PathRange } from './state.ts'

export function isVisible(ranges: readonly PathRange[], seq: number): boolean {
  return ranges.some((range) => range.from <= seq && (range.to === undefined || seq <= range.to))
}

/** The ranges cut after `keepThrough`, going on with whatever is appended from `from` on. */
export function cutPath(ranges: readonly PathRange[], keepThrough: number, from: number): PathRange[] {
  const kept = closePath(ranges, keepThrough)
  const last = kept.at(-1)
  if (last && last.to === from - 1) return [...kept.slice(0, -1), { from: last.from }]
  return [...kept, { from }]
}

/** The ranges with nothing after `through`; none is open. */
export function closePath(ranges: readonly PathRange[], through: number): { from: number; to: number }[] {
  return ranges
    .filter((range) => range.from <= through)
    .map((range) => ({ from: range.from, to: Math.min(range.to ?? through, through) }))
}

/** What of the ranges lies in none of `others`, which are disjoint and in order. */
export function outsideOf(
  ranges: readonly { from: number; to: number }[],
  others: readonly { from: number; to: number }[],
): { from: number; to: number }[] {
  return others.reduce(
    (left, { from, to }) =>
      left.flatMap((range) =>
        [
          { from: range.from, to: Math.min(range.to, from - 1) },
          { from: Math.max(range.from, to + 1), to: range.to },
        ].filter((piece) => piece.from <= piece.to),
      ),
    [...ranges],
  )
}
