/** A turn as the commits it is written in: one, unless it is larger than a commit may be. */
import { limits } from '@holdfast/protocol'
import type { Batch, Round, Step, Turn } from './batch.ts'

/** Room is left for what decisions add to the commands: an activation, closed calls, the position note. */
const most: Size = { events: limits.commitEvents - 200, units: limits.commitBytes / 4 }

/**
 * A commit cannot leave a recorded run open. So the run of a turn that is too large is ended between two rounds, as
 * cancelled and saying why, and the rounds after it are a run of their own; only the last one counts as a turn.
 * Notes that make a single round too large go before it, and steps without a run are cut anywhere: an import killed
 * just there writes these again.
 */
export function commitsOf(turn: Turn): Batch[] {
  const { before, run, after, position, compaction } = turn
  if (compaction) return [{ steps: [], compaction, position }]
  if (!run) return chunksOf([...before, ...after], position)
  const rounds = run.rounds.map(withinCommit)
  const fits = isWithin(sizeOf([...before, ...after]), most)
  const early = [...(fits ? [] : before), ...rounds.flatMap(({ overflow }) => overflow)]
  const late = fits ? [] : after
  const inside = { ...turn, before: fits ? before : [], after: fits ? after : [], run: { ...run, rounds } }
  const runs = runsOf(inside, run)
  return [
    ...(early.length > 0 ? chunksOf(early, undefined) : []),
    ...runs,
    ...(late.length > 0 ? chunksOf(late, position) : []),
  ]
}

function runsOf({ before, run, after, position }: Turn, { start, end }: NonNullable<Turn['run']>): Batch[] {
  const groups = groupRounds(run?.rounds ?? [], sizeOf([...before, ...after]))
  return groups.map((rounds, index) => {
    const isLast = index === groups.length - 1
    const steps = rounds.flatMap((round) => round.steps)
    const ending = isLast ? [end, ...after] : [goesOn(steps)]
    return {
      steps: [...(index === 0 ? before : []), ...start, ...steps, ...ending],
      position: isLast ? position : rounds.at(-1)?.position,
    }
  })
}

/** Ends a run behind these steps. */
export function goesOn(steps: readonly Step[]): Step {
  const reason = 'the turn goes on in the next run'
  return { command: { type: 'cancelRun', reason }, at: steps.at(-1)?.at }
}

function groupRounds(rounds: readonly Round[], around: Size): Round[][] {
  let room = less(most, around)
  let group: Round[] = []
  const groups = [group]
  for (const round of rounds) {
    const size = sizeOf(round.steps)
    if (group.length > 0 && !isWithin(size, room)) {
      group = []
      groups.push(group)
      room = most
    }
    group.push(round)
    room = less(room, size)
  }
  return groups
}

function withinCommit(round: Round): Round & { overflow: Step[] } {
  if (isWithin(sizeOf(round.steps), most)) return { ...round, overflow: [] }
  const isNote = ({ command }: Step) => command.type === 'addNote'
  return {
    ...round,
    steps: round.steps.filter((step) => !isNote(step)),
    overflow: round.steps.filter(isNote),
  }
}

/** Only the last chunk may say that everything was read. */
function chunksOf(steps: readonly Step[], position: Batch['position']): Batch[] {
  const chunks: Step[][] = [[]]
  let room = most
  for (const step of steps) {
    const size = sizeOf([step])
    if (!isWithin(size, room)) {
      chunks.push([])
      room = most
    }
    chunks.at(-1)?.push(step)
    room = less(room, size)
  }
  return chunks.map((chunk, index) => ({
    steps: chunk,
    position: index === chunks.length - 1 ? position : undefined,
  }))
}

export interface Size {
  events: number
  /** About as many code units as the commands have as JSON text. */
  units: number
}

export function sumOf(a: Size, b: Size): Size {
  return { events: a.events + b.events, units: a.units + b.units }
}

export function sizeOfAll(batches: readonly Batch[]): Size {
  return sizeOf(batches.flatMap(({ steps }) => steps))
}

export function isWithin(size: Size, room: Size): boolean {
  return size.events <= room.events && size.units <= room.units
}

function less(room: Size, size: Size): Size {
  return { events: room.events - size.events, units: room.units - size.units }
}

function sizeOf(steps: readonly Step[]): Size {
  const size = { events: 0, units: 0 }
  for (const step of steps) {
    const { command } = step
    size.events += command.type === 'append' ? 1 + command.message.parts.length : 1
    step.units ??= unitsOf(command)
    size.units += step.units
  }
  return size
}

/** Escapes are not counted: a limit that is met with them is far from a quarter of its bytes. */
export function unitsOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  let units = 2
  if (Array.isArray(value)) for (const item of value) units += 1 + unitsOf(item)
  else for (const key in value) units += key.length + 3 + unitsOf((value as Record<string, unknown>)[key])
  return units
}
