/** One of the processes that share the cuts of a trace: each replays it whole and examines the images of its own cuts. */
import { hash } from 'node:crypto'
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
  lost: string[]
  wrong: string[]
}

export interface CutReport extends Damage {
  place: number
  /** The same bytes, of which the same was said, were examined before. */
  isKnown: boolean
}

type Image = ReadonlyMap<string, Buffer>

const image = join(memoryFolder(), 'image')

for await (const { trace, cuts } of messages<Cuts>()) {
  const disk = new Disk()
  const history = new History()
  const known = new Map<string, Damage>()
  let done = 0
  for (const [place, change] of readTrace(trace).entries()) {
    for (let cut = cuts[done]; cut?.place === place; cut = cuts[++done]) {
      const left = imageAfter(cut.seed, disk)
      const name = nameOf(left, history)
      const damage = known.get(name) ?? (await damageOf(left, history))
      report({ place, isKnown: known.has(name), ...damage } satisfies CutReport)
      known.set(name, damage)
    }
    apply(change, disk, history)
  }
}

/** Reports are no files of the disk: what was said was said. */
function apply(change: Change, disk: Disk, history: History): void {
  if (change.name !== 'reports') disk.apply(change)
  else history.take(JSON.parse(change.data.toString()) as Report)
}

function imageAfter(seed: number, disk: Disk): Image {
  return new Map([...disk.powerCut(new Random(seed))].filter(([name]) => !isShared(name)))
}

/** Equal for the same files of which the same was said. */
function nameOf(files: Image, { said }: History): string {
  return [said, ...[...files].map(([name, bytes]) => `${name} ${hash('sha1', bytes)}`)].join('\n')
}

async function damageOf(files: Image, history: History): Promise<Damage> {
  rmSync(image, { recursive: true, force: true })
  mkdirSync(image)
  for (const [name, bytes] of files) writeFileSync(join(image, name), bytes)
  const { lost, duplicated, reordered, wrong } = await examine({
    place: { file: join(image, 'holdfast.db') },
    ops: [...history.ops.values()],
    drafted: [...history.drafts.values()],
  })
  return { lost, wrong: [...wrong, ...duplicated, ...reordered] }
}
