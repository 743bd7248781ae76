/**
 * A flipped bit in any file of a store is harmless or found out: a file with something of everything is made and its
 * writer killed, or closed, one random bit of one random file is flipped, and everything is read.
 *
 * `npm run prove:flip -- --flips 10000 --seed 7`; `--planted` reads events without their checksum and must fail.
 */
import { cpSync, mkdirSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { knobs } from './lib/args.ts'
import { Child } from './lib/child.ts'
import { type Flip, Flipper, fileIn } from './lib/flipper.ts'
import { memoryFolder } from './lib/place.ts'
import { type Answer, questionsOf } from './lib/questions.ts'
import { Random } from './lib/random.ts'
import { summarize } from './lib/summary.ts'
import { type Judged, judge, type Verdict } from './lib/verdict.ts'

const { flips, seed, planted } = knobs({ flips: 500, planted: false })
console.log(
  `flip: ${flips} flips, seed ${seed}${planted ? ', planted: checksums of events are not looked at' : ''}`,
)

/** Files as they were left, and what they answer; `before`: what they answer without their last commit. */
interface Template {
  folder: string
  answers: Answer[]
  before: Answer[]
}

const random = new Random(seed)
const work = memoryFolder()
const counts = new Map<Verdict, number>()
let oneHurt = 0

const killed = join(work, 'killed')
const closed = join(work, 'closed')
await makeKilled()
await makeClosed()
const questions = questionsOf(fileIn(closed))
const templates = [await templateOf(killed), await templateOf(closed)]
const waiting = Array.from({ length: flips }, chooseFlip)
await Promise.all(Array.from({ length: availableParallelism() }, (_, hand) => proveFlips(`flipped${hand}`)))

summarize({
  seed,
  counted: {
    flips,
    'answers each': questions.length,
    harmless: times('harmless'),
    detected: times('detected'),
    'of these in one session at most': oneHurt,
    'missing and found by a check': times('missing'),
    'misled searches or due lists': times('misled'),
    'without the last commit': times('shorter'),
  },
  faults: { wrong: times('wrong') },
})

async function makeKilled(): Promise<void> {
  mkdirSync(killed)
  const maker = new Child<string>(new URL('./lib/flip-template.ts', import.meta.url))
  maker.send(fileIn(killed))
  await maker.require()
  maker.kill()
  await maker.end()
}

async function makeClosed(): Promise<void> {
  cpSync(killed, closed, { recursive: true })
  const holdfast = await openHoldfast({ store: sqlite(fileIn(closed)) })
  await holdfast.close()
}

async function templateOf(folder: string): Promise<Template> {
  const reader = reading('whole')
  const { answers } = await reader.read(folder)
  const hasJournal = readdirSync(folder).includes('holdfast.db-wal')
  const before = hasJournal ? await reader.read(folder, lastByteOf('holdfast.db-wal')) : { answers }
  reader.end()
  return { folder, answers, before: before.answers }
}

/** In the last frame, and so in the last commit. */
function lastByteOf(name: string): Flip {
  return { name, bit: (bits) => bits - 1 }
}

function chooseFlip(): Flip & { template: Template } {
  const template = random.pick(templates)
  const share = random.next() / 2 ** 32
  const name = random.pick(readdirSync(template.folder).sort())
  return { template, name, bit: (bits) => Math.floor(share * bits) }
}

function times(verdict: Verdict): number {
  return counts.get(verdict) ?? 0
}

function reading(name: string): Flipper {
  return new Flipper(join(work, name), { questions, planted })
}

async function proveFlips(hand: string): Promise<void> {
  let reader = reading(hand)
  for (let flip = waiting.pop(); flip; flip = waiting.pop()) {
    try {
      const { answers: now, integrity } = await reader.read(flip.template.folder, flip)
      count(flip, judge(questions, { ...flip.template, now, isFound: integrity.length > 0 }))
    } catch (error) {
      count(flip, { verdict: 'wrong', hurt: 0, examples: [String(error)] })
      reader.end()
      reader = reading(hand)
    }
  }
  reader.end()
}

function count({ name }: Flip, { verdict, hurt, examples }: Judged): void {
  counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  if (verdict === 'detected' && hurt <= 1) oneHurt += 1
  if (times('wrong') <= 10) for (const example of examples) console.error(`${name}: ${example}`)
}
