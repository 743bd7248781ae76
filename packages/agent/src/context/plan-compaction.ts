/**
 * Which stretches of the context a summary may stand for. Pure. The last three messages of the user stay as they are, with
 * the last two rounds; what lies between them may go, as may everything before. A call and its results stay together, and a
 * summary is covered whole, or not at all.
 */
import type { Entry, Standing } from './entries.ts'

export interface Stretch {
  from: number
  to: number
  entries: readonly Entry[]
}

const keptTurns = 3
const keptRounds = 2
/** A summary of fewer messages says hardly less than they do. */
const leastNew = 3

/** Largest first. */
export function stretchesOf(
  standing: Standing,
  sizeOf: (entry: Entry) => number,
): (Stretch & { size: number })[] {
  const { entries } = standing
  const users = entries.filter(({ role }) => role === 'user').slice(-keptTurns)
  const bounds = [0, ...users.map(({ place }) => place)]
  const stretches = bounds.flatMap((after, i) => {
    return stretchBetween(standing, after, bounds[i + 1] ?? startOfNewRounds(entries))
  })
  const sized = stretches.map((stretch) => ({ ...stretch, size: sum(stretch.entries.map(sizeOf)) }))
  return sized.sort((a, b) => b.size - a.size)
}

/** The place of the message that begins the last rounds, which stay. */
function startOfNewRounds(entries: readonly Entry[]): number {
  return entries.filter(({ role }) => role === 'assistant').at(-keptRounds)?.place ?? 0
}

function stretchBetween({ entries, ends }: Standing, after: number, before: number): Stretch[] {
  const inside = entries.filter(({ place, stays }) => !stays && place > after && place < before)
  const first = inside[0]
  const to = ends.findLast((end) => end > after && end < before)
  if (!first || to === undefined) return []
  const covered = inside.filter(({ place }) => place <= to)
  const isWorth = covered.filter(({ role }) => role !== 'summary').length >= leastNew
  return isWorth ? [{ from: first.place, to, entries: covered }] : []
}

/** Through where old tool outputs may be shown shortened: the last two turns and the last two rounds stay whole. */
export function trimPlace({ entries }: Standing): number {
  const users = entries.filter(({ role }) => role === 'user')
  const turn = users.at(-2)?.place ?? 0
  const calling = entries.filter(({ role, parts }) => role === 'assistant' && parts.some(isCall))
  const round = calling.at(-keptRounds)?.place ?? 0
  return Math.max(0, Math.min(turn, round) - 1)
}

/** Of an output that is shown shortened: it has some 1,500 bytes then. */
const excerptTokens = 512

/**
 * Where nothing else makes it fit: through where outputs must be shown shortened, the oldest first, so that as many tokens
 * are saved as are `missing`. Undefined: not even all of them save as many.
 */
export function lastTrimPlace(
  { entries }: Standing,
  { missing, sizeOf, after }: { missing: number; sizeOf(entry: Entry): number; after: number },
): number | undefined {
  let saved = 0
  const outputs = entries.filter(({ role, stays, place }) => role === 'tool' && !stays && place > after)
  return outputs.find((entry) => {
    saved += Math.max(0, sizeOf(entry) - excerptTokens)
    return saved >= missing
  })?.place
}

function isCall({ type }: Entry['parts'][number]): boolean {
  return type === 'tool_call'
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
