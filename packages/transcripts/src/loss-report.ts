/** What a reading or a writing could not carry over as it was. Everything is counted, nothing is lost in silence. */

export interface BrokenLine {
  file: string
  /** The line; in a file that is one JSON array, the item. */
  line: number
  reason: string
}

/** What became of a line: `carried` into messages and facts, kept as it was (`opaque`), left out, or not readable. */
export type LineFate = 'carried' | 'opaque' | 'dropped' | 'broken' | 'blank'

/** What it counts, as plain data. */
export type LossCounts = Pick<LossReport, 'lines' | 'keptOpaque' | 'dropped' | 'repaired' | 'broken'>

export class LossReport {
  /** Every line that was read for the first time, by what became of it. */
  readonly lines = new Map<LineFate, number>()
  /** Kept as a note that only its own format understands, by kind. */
  readonly keptOpaque = new Map<string, number>()
  /** Left out, by what it was. */
  readonly dropped = new Map<string, number>()
  /** Carried over in another shape than it had, by what was done. */
  readonly repaired = new Map<string, number>()
  /** Lines that could not be read; the reading went on after them. The first `brokenListed` of them. */
  readonly broken: BrokenLine[] = []

  /** A line of the source, told once. */
  line(fate: LineFate, times = 1): void {
    count(this.lines, fate, times)
  }

  keep(kind: string, times = 1): void {
    count(this.keptOpaque, kind, times)
  }

  drop(what: string, times = 1): void {
    count(this.dropped, what, times)
  }

  repair(what: string, times = 1): void {
    count(this.repaired, what, times)
  }

  breakLine(line: BrokenLine): void {
    if (this.broken.length < brokenListed) this.broken.push(line)
    else this.drop('more broken lines than are listed')
  }

  add(other: LossCounts): void {
    for (const [fate, times] of other.lines) count(this.lines, fate, times)
    for (const [kind, times] of other.keptOpaque) this.keep(kind, times)
    for (const [what, times] of other.dropped) this.drop(what, times)
    for (const [what, times] of other.repaired) this.repair(what, times)
    for (const line of other.broken) this.breakLine(line)
  }

  /** At most one line for each of the four, and one for each of the first few broken lines. */
  toLines(): string[] {
    const brokenShown = 5
    const more = this.broken.length - brokenShown
    return [
      ...summary('kept opaque', this.keptOpaque),
      ...summary('dropped', this.dropped),
      ...summary('repaired', this.repaired),
      ...this.broken
        .slice(0, brokenShown)
        .map(({ file, line, reason }) => `broken: ${file}:${line} ${reason}`),
      ...(more > 0 ? [`broken: ${more} more`] : []),
    ]
  }
}

/** A file full of garbage must not fill the memory with its description. */
const brokenListed = 10_000

function count<K>(counts: Map<K, number>, name: K, times = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + times)
}

function summary(title: string, counts: ReadonlyMap<string, number>): string[] {
  if (counts.size === 0) return []
  const byCount = [...counts].sort((a, b) => b[1] - a[1])
  return [`${title}: ${byCount.map(([name, times]) => `${times} ${name}`).join(', ')}`]
}
