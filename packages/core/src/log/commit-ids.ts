import type { Ids } from '@holdfast/protocol'

/** Short ids, as every event row bears one: a random name of this open store, and a count. */
export function commitIds(random: () => number): Ids {
  const name = Math.floor(random() * 2 ** 48).toString(36)
  let count = 0
  return { next: () => `${name}.${(count++).toString(36)}` }
}
