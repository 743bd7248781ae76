/** Timing by interleaved rounds: every contender runs in every round, so that the machine's mood hits all alike. */
export interface Contender {
  name: string
  /** Does `count` pieces of work. */
  run(count: number): Promise<void> | void
  /** Called once, after the rounds that only warm up. */
  warm?(): void
}

export interface Timing {
  name: string
  /** Milliseconds per piece of work, one figure a round. */
  perPiece: number[]
}

export async function interleave(
  contenders: readonly Contender[],
  rounds: number,
  count: number,
): Promise<Timing[]> {
  for (const contender of contenders) {
    await contender.run(Math.ceil(count / 4))
    contender.warm?.()
  }
  const timings = contenders.map(({ name }): Timing => ({ name, perPiece: [] }))
  for (let round = 0; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const start = performance.now()
      await contender.run(count)
      timings[index]?.perPiece.push((performance.now() - start) / count)
    }
  }
  return timings
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export async function repeat(count: number, work: (n: number) => unknown): Promise<void> {
  for (let n = 0; n < count; n++) await work(n)
}
