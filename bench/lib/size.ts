/** How much a workload does. `HOLDFAST_BENCH_SHARE=0.01` takes a hundredth of every size, to see whether it works. */
export const share = Number(process.env.HOLDFAST_BENCH_SHARE ?? 1)

/** How often each contender runs. */
export const rounds = Number(process.env.HOLDFAST_BENCH_ROUNDS ?? 7)

export function sized(count: number): number {
  return share === 1 || count === 0 ? count : Math.min(count, Math.max(2, Math.ceil((count * share) / 2) * 2))
}
