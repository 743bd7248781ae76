/** What an import could not carry over as it was. Everything is counted, nothing is lost in silence. */

export interface BrokenLine {
  file: string
  line: number
  reason: string
}

export class LossReport {
  /** Kept as a note that only its own format understands, by kind. */
  readonly keptOpaque = new Map<string, number>()
  /** Left out, by what it was. */
  readonly dropped = new Map<string, number>()
  /** Carried over in another shape than it had, by what was done. */
  readonly repaired = new Map<string, number>()
  /** Lines that could not be read; the import went on after them. */
  readonly broken: BrokenLine[] = []

  keep(kind: string): void {
    count(this.keptOpaque, kind)
  }

  drop(what: string): void {
    count(this.dropped, what)
  }

  repair(what: string): void {
    count(this.repaired, what)
  }

  breakLine(line: BrokenLine): void {
    this.broken.push(line)
  }

  add(other: LossReport): void {
    for (const [kind, times] of other.keptOpaque) count(this.keptOpaque, kind, times)
    for (const [what, times] of other.dropped) count(this.dropped, what, times)
    for (const [what, times] of other.repaired) count(this.repaired, what, times)
    this.broken.push(...other.broken)
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

function count(counts: Map<string, number>, name: string, times = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + times)
}

function summary(title: string, counts: ReadonlyMap<string, number>): string[] {
  if (counts.size === 0) return []
  const byCount = [...counts].sort((a, b) => b[1] - a[1])
  return [`${title}: ${byCount.map(([name, times]) => `${times} ${name}`).join(', ')}`]
}
