/** What a bad network does to what passes: holds it up, and now and then cuts it or ends one direction of it. */
import type { Fates } from './link.ts'
import type { Random } from './random.ts'

export const calm: Fates = () => ({ delayMs: 0 })

export function storm(random: Random): Fates {
  return () => {
    const dice = random.below(1_000)
    if (dice < 4) return 'cut'
    if (dice < 8) return 'half'
    if (dice < 30) return { delayMs: random.below(100) }
    return { delayMs: random.below(4) }
  }
}
