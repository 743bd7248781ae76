/** The last line of every proof: what it counted and which faults it found, for `npm run prove` and for the tests. */
export interface Summary {
  seed: number
  counted: Record<string, number>
  /** All zero when what it shows is true. */
  faults: Record<string, number>
  /** Of what it ran on, where that is no part of Node. */
  versions?: Readonly<Record<string, string>>
  /** Why it could not run here. */
  skipped?: string
}

/** Says it, for people and as JSON, and lets the process fail when there is a fault. */
export function summarize(summary: Summary): void {
  console.log(sentence(summary))
  console.log(JSON.stringify(summary))
  process.exitCode = hasFaults(summary) ? 1 : 0
}

export function sentence({ counted, faults }: Summary): string {
  return `${phrase(counted)}; faults: ${phrase(faults)}`
}

export function hasFaults({ faults }: Summary): boolean {
  return Object.values(faults).some((count) => count > 0)
}

export function phrase(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count.toLocaleString('en-US')} ${name}`)
    .join(', ')
}

/** The summary among what a proof printed, on both of its streams. */
export function summaryOf(output: string): Summary | undefined {
  const line = output.split('\n').findLast((text) => text.startsWith('{"seed":'))
  return line === undefined ? undefined : (JSON.parse(line) as Summary)
}
