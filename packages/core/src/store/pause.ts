/** Pauses between tries: they grow, and are spread by process and try, so that those who met once do not meet in step. */

export function pauseBefore(tries: number, longestMs: number): number {
  const spread = (Math.imul(process.pid, 0x9e3779b1) + Math.imul(tries, 0x85ebca6b)) >>> 0
  return Math.min(longestMs, 2 ** Math.min(tries, 16)) * (0.25 + (0.75 * spread) / 2 ** 32)
}
