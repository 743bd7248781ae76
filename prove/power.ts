/**
 * A power cut at any moment loses nothing that was acknowledged: every write and sync of the real engine is recorded,
 * and for many moments one of the contents that the disk may then have is opened by the real engine and audited.
 *
 * `npm run prove:power -- --images 10000 --seed 7`; `--durability normal` is the planted bug and must fail.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ActiveSession, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { knobs } from './lib/args.ts'
import { audit } from './lib/audit.ts'
import { Disk } from './lib/disk.ts'
import { History, type Report } from './lib/history.ts'
import { temporaryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { record, whyNotRecord } from './lib/record.ts'
import type { Change } from './lib/trace.ts'

const { images, seed, durability } = knobs({ images: 200, durability: 'full' })
const reason = whyNotRecord()
if (reason) {
  console.log(`power: skipped, ${reason}`)
  process.exit()
}
console.log(`power: ${images} images, seed ${seed}, durability ${durability}`)

const random = new Random(seed)
const work = temporaryFolder()
const folder = join(work, 'recorded')
const image = join(work, 'image')
const file = join(image, 'holdfast.db')
const totals = { lost: 0, wrong: 0 }

mkdirSync(folder)
const trace = record(new URL('./lib/recorded-writer.ts', import.meta.url), [folder, durability], {
  folder,
  work,
})
const disk = new Disk()
const history = new History()
const cuts = cutPlaces()
for (const [place, change] of trace.entries()) {
  for (; cuts[0] === place; cuts.shift()) await cutPower(place)
  apply(change)
}
requireWholeTrace()
console.log(
  `${images} images of ${trace.length} changes and syncs, ${history.count('acked')} acked at the end, ` +
    `${totals.lost} lost, ${totals.wrong} other faults`,
)
process.exitCode = totals.lost + totals.wrong === 0 ? 0 : 1

/** Rising, anywhere after the first report. */
function cutPlaces(): number[] {
  const first = trace.findIndex((change) => change.name === 'reports')
  const places = Array.from({ length: images }, () => first + random.below(trace.length - first))
  return places.sort((a, b) => a - b)
}

/** Reports are no files of the disk: what was said was said. */
function apply(change: Change): void {
  if (change.name !== 'reports') disk.apply(change)
  else history.take(JSON.parse(change.data.toString()) as Report)
}

async function cutPower(place: number): Promise<void> {
  rmSync(image, { recursive: true, force: true })
  mkdirSync(image)
  for (const [name, bytes] of disk.powerCut(random))
    if (!isShared(name)) writeFileSync(join(image, name), bytes)
  const { lost, wrong } = await examine().catch((error) => ({ lost: [], wrong: [String(error)] }))
  totals.lost += lost.length
  totals.wrong += wrong.length
  for (const fault of [...lost.map((op) => `${op} is lost`), ...wrong].slice(0, 3)) {
    console.error(`power cut before change ${place}: ${fault}`)
  }
}

/** Once as it was found, and once after it was recovered and went on. */
async function examine(): Promise<{ lost: string[]; wrong: string[] }> {
  const audited = { place: { file }, ops: [...history.ops.values()], drafted: [...history.drafts.values()] }
  const found = await audit(audited)
  await goOn()
  const later = await audit(audited)
  const wrong = [found, later].flatMap((one) => [...one.wrong, ...one.duplicated, ...one.reordered])
  return { lost: [...new Set([...found.lost, ...later.lost])], wrong }
}

async function goOn(): Promise<void> {
  const holdfast = await openHoldfast({ store: sqlite(file), clock: () => Date.now() + 1e6 })
  for (const { id } of (await holdfast.sessions.list()).sessions) {
    await holdfast.sessions.recover(id)
    const session = (await holdfast.sessions.open(id)) as ActiveSession
    await session.append({ role: 'user', parts: [{ type: 'text', text: 'Where were we?' }] })
  }
  await holdfast.close()
}

/** The index of the journal is shared memory: it does not outlive the processes, and is made anew from the journal. */
function isShared(name: string): boolean {
  return name.endsWith('-shm')
}

/** If the trace missed a way of writing, the files differ from what it says, and the images prove nothing. */
function requireWholeTrace(): void {
  const recorded = disk.current()
  for (const name of readdirSync(folder)) {
    if (isShared(name) || name === 'reports') continue
    if (!recorded.get(name)?.equals(readFileSync(join(folder, name))))
      throw new Error(`the trace of ${name} has holes`)
  }
}
