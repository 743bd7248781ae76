/**
 * A disk that fails at any moment is told truly: each write, sync, open … of a life is made to fail, once or from then
 * on, and afterwards another process finds all that was acknowledged, nothing that was refused, and of what is unknown
 * all or nothing; and the file goes on.
 *
 * `npm run prove:io -- --every 1` goes through every operation; by default it takes every so-manieth, from a place that
 * the seed chooses. `--planted` takes a failing commit for one that was not written and must fail; it fails syncs alone.
 */
import { cpSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { knobs } from './lib/args.ts'
import type { Findings } from './lib/audit.ts'
import { Child } from './lib/child.ts'
import type { Examined } from './lib/examiner.ts'
import type { Kept } from './lib/failing-life.ts'
import { type Fault, mount, unmount } from './lib/fault.ts'
import { toFirstSchema } from './lib/first-schema.ts'
import { History, type Report } from './lib/history.ts'
import type { IoTask, Lived } from './lib/io-writer.ts'
import { memoryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { compileShim, whyNoShim } from './lib/shim.ts'
import { summarize } from './lib/summary.ts'

const { every, seed, planted } = knobs({ every: 25, planted: false })
const reason = whyNoShim()
if (reason) {
  console.log(`io: skipped, ${reason}`)
  summarize({ seed, counted: {}, faults: {}, skipped: reason })
  process.exit()
}
console.log(
  `io: every ${every}. operation, seed ${seed}${planted ? ', planted: unknown is told as refused' : ''}`,
)

type Place = Pick<IoTask, 'driver'> & { start: 'new' | 'killed' | 'old' }
type Series = Place & Omit<Fault, 'nth'>
type Said = Report | { kept: Kept } | Lived

const most = 1e9
const fullDisks = 8
const longestLifeMs = 60_000
/** Rather more than a whole life takes. */
const mostBytes = 1 << 20
const mostTold = 20
const work = memoryFolder()
const folder = join(work, 'disk')
mkdirSync(folder)
const env = { LD_PRELOAD: compileShim('fault', work), HOLDFAST_FAULT_FOLDER: folder, SQLITE_TMPDIR: folder }
const totals = { failures: 0, acked: 0, refused: 0, unknown: 0, lost: 0, wrong: 0 }

const template = join(work, 'template')
const oldTemplate = join(work, 'old')
const before = await makeTemplates()
const waiting = allSeries()
await Promise.all(Array.from({ length: availableParallelism() }, (_, hand) => proveSeries(hand)))
const { lost, wrong, failures, ...told } = totals
summarize({ seed, counted: { failures, ...told }, faults: { lost, wrong } })

/** Files whose writer was killed, and what it was told: opening one recovers it, opening the other migrates it. */
async function makeTemplates(): Promise<Said[]> {
  const writer = new Child<Said>(new URL('./lib/io-writer.ts', import.meta.url), env)
  mkdirSync(template)
  writer.send({ file: fileIn(template), writer: 1, driver: 'node:sqlite', planted } satisfies IoTask)
  const said = await saidBy(writer)
  writer.kill()
  await writer.end()
  rmSync(`${fileIn(template)}-shm`)
  cpSync(template, oldTemplate, { recursive: true })
  toFirstSchema(fileIn(oldTemplate))
  return said
}

function fileIn(place: string): string {
  return join(place, 'holdfast.db')
}

function allSeries(): Series[] {
  const places = (['node:sqlite', 'better-sqlite3'] as const).flatMap((driver) =>
    (['new', 'killed', 'old'] as const).map((start): Place => ({ driver, start })),
  )
  const kinds = ['write', 'sync', 'open', 'truncate', 'unlink', 'read'] as const
  const faults = [
    ...kinds.map((kind) => ({ kind, error: 'EIO' as const })),
    { kind: 'write' as const, error: 'ENOSPC' as const },
    { kind: 'write' as const, error: 'short' as const },
  ].flatMap((fault) => (['once', 'ever'] as const).map((mode) => ({ ...fault, mode })))
  const full = (kind: 'quota' | 'disk') => ({ kind, mode: 'ever' as const, error: 'ENOSPC' as const })
  const mounted = canMount() ? [full('disk')] : []
  return places.flatMap((place) => {
    // A disk is mounted over the folder, so what was there is not seen.
    const own = [...faults, full('quota'), ...(place.start === 'new' ? mounted : [])]
    return own
      .filter(({ kind }) => !planted || kind === 'sync')
      .map((fault): Series => ({ ...place, ...fault }))
  })
}

function canMount(): boolean {
  const probe = join(work, 'probe')
  mkdirSync(probe)
  try {
    mount(probe, 'size=64k')
    unmount(probe)
    return true
  } catch {
    console.log('io: no disk can be mounted here; full disks are shown by a quota alone')
    return false
  }
}

async function proveSeries(hand: number): Promise<void> {
  const writer = new Child<Said>(new URL('./lib/io-writer.ts', import.meta.url), env)
  const examiner = new Child<Findings>(new URL('./lib/examiner.ts', import.meta.url))
  const place = join(folder, String(hand))
  for (let series = waiting.shift(); series; series = waiting.shift()) {
    const random = new Random(seed + waiting.length)
    for (const nth of await pointsOf(series, random)) await live(series, nth)
  }
  writer.kill()
  examiner.kill()
  clear(place)

  /** Every so-manieth operation of the kind, but four at least. */
  async function pointsOf(series: Series, random: Random): Promise<number[]> {
    if (isFull(series)) return Array.from({ length: fullDisks }, () => 4096 + random.below(mostBytes))
    const { calls } = await live(series, most)
    const step = Math.max(1, Math.min(every, Math.floor(calls / 4)))
    return Array.from(
      { length: Math.ceil(calls / step) },
      (_, index) => 1 + index * step + random.below(step),
    )
  }

  async function live(series: Series, nth: number): Promise<Lived['lived']> {
    const { driver, start, ...fault } = series
    clear(place)
    if (start === 'new') mkdirSync(place)
    else cpSync(start === 'old' ? oldTemplate : template, place, { recursive: true })
    const task: IoTask = { file: fileIn(place), writer: 2, driver, fault: { ...fault, nth }, planted }
    writer.send(task)
    const said = await saidBy(writer)
    const { lived } = said.at(-1) as Lived
    const faults = await judge(task.file, start === 'new' ? said : [...before, ...said])
    if (lived.failed > 0 || fault.kind === 'disk') totals.failures += 1
    blame(`${driver}, ${start} file, ${fault.kind} ${nth} ${fault.mode} ${fault.error}`, [
      ...lived.wrong,
      ...faults,
    ])
    return lived
  }

  async function judge(file: string, said: readonly Said[]): Promise<string[]> {
    const history = new History()
    const kept = said.flatMap((one) => ('kept' in one ? [one.kept] : []))
    for (const one of said) if (!('kept' in one || 'lived' in one)) history.take(one)
    const ops = [...history.ops.values()]
    totals.acked += history.count('acked')
    totals.refused += history.count('absent')
    totals.unknown += history.count('unknown')
    examiner.send({ place: { file }, ops, drafted: [...history.drafts.values()], kept } satisfies Examined)
    const { lost, wrong, duplicated, reordered } = await examiner.require()
    totals.lost += lost.length
    return [...lost.map((op) => `${op} is lost`), ...wrong, ...duplicated, ...reordered, ...history.wrong]
  }
}

/** All of a life. A writer that falls silent hangs, and is told by its death. */
async function saidBy(writer: Child<Said>): Promise<Said[]> {
  const said: Said[] = []
  const limit = setTimeout(() => writer.kill(), longestLifeMs)
  for (let one = await writer.require(); ; one = await writer.require()) {
    said.push(one)
    if ('lived' in one) break
  }
  clearTimeout(limit)
  return said
}

function isFull({ kind }: { kind: Fault['kind'] }): boolean {
  return kind === 'quota' || kind === 'disk'
}

function clear(place: string): void {
  if (existsSync(place) && statSync(place).dev !== statSync(folder).dev) unmount(place)
  rmSync(place, { recursive: true, force: true })
}

function blame(where: string, faults: readonly string[]): void {
  if (totals.wrong < mostTold) for (const fault of faults.slice(0, 3)) console.error(`${where}: ${fault}`)
  totals.wrong += faults.length
}
