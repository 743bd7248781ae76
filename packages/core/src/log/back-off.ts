/** The pause before another try. The first tries follow at once: the usual rival was a single write of a neighbour. */
import { setTimeout as sleep } from 'node:timers/promises'

const triesAtOnce = 2
const longestMs = 100

export async function backOff(tries: number, random: () => number): Promise<void> {
  if (tries <= triesAtOnce) return
  await sleep(random() * Math.min(longestMs, 2 ** (tries - triesAtOnce)))
}
