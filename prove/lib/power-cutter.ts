/** One of the processes that share the cuts of a trace: each replays it whole and examines the images of its own cuts. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messages, report } from './child.ts'
import { Disk } from './disk.ts'
import { examine } from './examine.ts'
import { History, type Report } from './history.ts'
import { memoryFolder } from './place.ts'
import { Random } from './random.ts'
import { type Change, isShared, readTrace } from './trace.ts'

export interface Cuts {
  trace: string
  /** Rising by place: before which change the power goes out, and the seed of what the disk then has. */
  cuts: { place: number; seed: number }[]
}

/** What an image lost, and what else was wrong with it. */
export interface Damage {
  place: number
  lost: string[]
  wrong: string[]
}

const image = join(memoryFolder(), 'image')

for await (const { trace, cuts } of messages<Cuts>()) {
  const disk = new Disk()
  const history = new History()
  for (const [place, change] of readTrace(trace).entries()) {
    for (; cuts[0]?.place === place; cuts.shift()) report(await cutPower(cuts[0], disk, history))
    apply(change, disk, history)
  }
  break
}

/** Reports are no files of the disk: what was said was said. */
function apply(change: Change, disk: Disk, history: History): void {
  if (change.name !== 'reports') disk.apply(change)
  else history.take(JSON.parse(change.data.toString()) as Report)
}

async function cutPower(
  { place, seed }: Cuts['cuts'][number],
  disk: Disk,
  history: History,
): Promise<Damage> {
  rmSync(image, { recursive: true, force: true })
  mkdirSync(image)
  for (const [name, bytes] of disk.powerCut(new Random(seed)))
    if (!isShared(name)) writeFileSync(join(image, name), bytes)
  const { lost, duplicated, reordered, wrong } = await examine({
    place: { file: join(image, 'holdfast.db') },
    ops: [...history.ops.values()],
    drafted: [...history.drafts.values()],
  })
  return { place, lost, wrong: [...wrong, ...duplicated, ...reordered] }
}
