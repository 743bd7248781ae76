/** A bar of eighths of a column. */
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const

/** `share` is in [0, 1]; what is not nothing is seen. */
export function bar(share: number, width: number): string {
  const steps = Math.round(Math.min(Math.max(share, 0), 1) * width * 8)
  const shown = share > 0 ? Math.max(steps, 1) : 0
  return '█'.repeat(Math.floor(shown / 8)) + eighths[shown % 8]
}
