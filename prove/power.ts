/**
 * A power cut at any moment loses nothing that was acknowledged: every write and sync of the real engine is recorded,
 * and for many moments one of the contents that the disk may then have is opened by the real engine and audited.
 *
 * `npm run prove:power -- --images 1000000 --seed 7`; `--durability normal` and `--durability off` are the planted bugs
 * and must fail.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { knobs } from './lib/args.ts'
import { Child } from './lib/child.ts'
import { Disk } from './lib/disk.ts'
import { memoryFolder } from './lib/place.ts'
import type { CutReport, Cuts } from './lib/power-cutter.ts'
import { Random } from './lib/random.ts'
import { record } from './lib/record.ts'
import { whyNoShim } from './lib/shim.ts'
import { summarize } from './lib/summary.ts'
import { type Change, isShared, readTrace } from './lib/trace.ts'

const { images, seed, durability } = knobs({ images: 200, durability: 'full' })
const reason = whyNoShim()
if (reason) {
  console.log(`power: skipped, ${reason}`)
  summarize({ seed, counted: {}, faults: {}, skipped: reason })
  process.exit()
}
console.log(`power: ${images} images, seed ${seed}, durability ${durability}`)

const imagesPerTrace = 2_500
/** Places that one process has together: their images are often the same. */
const neighbours = 100
const mostTold = 20
const random = new Random(seed)
const work = memoryFolder()
const folder = join(work, 'recorded')
const totals = { distinct: 0, changes: 0, acked: 0, lost: 0, wrong: 0 }
const cutters = Array.from({ length: availableParallelism() }, () => {
  return new Child<CutReport>(new URL('./lib/power-cutter.ts', import.meta.url))
})

for (let done = 0; done < images; done += imagesPerTrace)
  await proveTrace(done, Math.min(imagesPerTrace, images - done))
for (const cutter of cutters) cutter.kill()
const { distinct, changes, acked, lost, wrong } = totals
summarize({
  seed,
  counted: { images, 'of these distinct': distinct, 'changes and syncs': changes, acked },
  faults: { lost, wrong },
})

/** Short lives, and now and then others: the cost of an image is that of reading all that its writers wrote. */
async function proveTrace(nth: number, count: number): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const program = new URL('./lib/recorded-writer.ts', import.meta.url)
  const path = record(program, [folder, durability, String(nth)], { folder, work })
  const trace = readTrace(path)
  requireWholeTrace(trace)
  totals.changes += trace.length
  const cuts = cutsOf(trace, count)
  const handOf = (place: number) => Math.floor(place / neighbours) % cutters.length
  const shares = cutters.map((_, hand) => cuts.filter(({ place }) => handOf(place) === hand))
  await Promise.all(
    cutters.map((cutter, hand) => cutPower(cutter, { trace: path, cuts: shares[hand] ?? [] })),
  )
}

/** Rising, anywhere after the first report. */
function cutsOf(trace: readonly Change[], count: number): Cuts['cuts'] {
  const first = trace.findIndex(({ name }) => name === 'reports')
  const found = Array.from({ length: count }, () => {
    return { place: first + random.below(trace.length - first), seed: random.next() }
  })
  return found.sort((a, b) => a.place - b.place)
}

async function cutPower(cutter: Child<CutReport>, task: Cuts): Promise<void> {
  cutter.send(task)
  for (const _ of task.cuts) blame(await cutter.require())
}

function blame({ place, isKnown, lost, wrong }: CutReport): void {
  if (!isKnown) totals.distinct += 1
  const isTold = totals.lost + totals.wrong < mostTold
  totals.lost += lost.length
  totals.wrong += wrong.length
  for (const fault of isTold ? [...lost.map((op) => `${op} is lost`), ...wrong].slice(0, 3) : []) {
    console.error(`power cut before change ${place}: ${fault}`)
  }
}

/** If the trace missed a way of writing, the files differ from what it says, and the images prove nothing. */
function requireWholeTrace(trace: readonly Change[]): void {
  const disk = new Disk()
  for (const change of trace) disk.apply(change)
  const recorded = disk.current()
  for (const name of readdirSync(folder)) {
    if (isShared(name)) continue
    if (!recorded.get(name)?.equals(readFileSync(join(folder, name))))
      throw new Error(`the trace of ${name} has holes`)
  }
  const reports = recorded.get('reports')?.toString().trimEnd().split('\n') ?? []
  totals.acked += reports.filter((line) => 'ack' in JSON.parse(line)).length
}
