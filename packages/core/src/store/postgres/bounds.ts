/** Above every seq, and the most rows that a statement can be asked for. */
export const most = 2 ** 31 - 1

/** As a column of seqs can hold it: what lies beyond has no row on either side. */
export function asSeq(value: number): number {
  return Math.max(-most, Math.min(value, most))
}
