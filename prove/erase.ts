/**
 * What is forgotten is nowhere any more, and nothing else is: stores full of texts that exist once are erased, pruned
 * and deleted from, in half of the rounds by a process that is killed in the midst of it and then repeated. Afterwards
 * no file holds a byte of what had to go, no handle that was open meanwhile gives it, and all the rest can be read.
 *
 * `npm run prove:erase -- --rounds 20 --seed 7`; `--planted` leaves out, in turn, the scrub and the removal of files and
 * must fail. The seed chooses what is written and forgotten; where a killed process then is, is up to the machine.
 */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openHoldfast, type Store } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { isHoldfastError } from '@holdfast/protocol'
import { knobs } from './lib/args.ts'
import { Canaries, type Canary, inFiles, inText, inTwoBytes } from './lib/canaries.ts'
import { CanaryStore } from './lib/canary-store.ts'
import { Child } from './lib/child.ts'
import type { EraserTask } from './lib/eraser.ts'
import { everything } from './lib/everything.ts'
import { Fate } from './lib/fate.ts'
import { type Forgetting, forget } from './lib/forgetting.ts'
import { temporaryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { summarize } from './lib/summary.ts'

const { rounds, seed, planted } = knobs({ rounds: 20, planted: false })
console.log(`erase: ${rounds} rounds, seed ${seed}${planted ? ', planted: no scrub, or files are kept' : ''}`)

const folder = temporaryFolder()
/** Faults by round. */
const blamed = new Map<number, number>()
const totals = { canaries: 0, gone: 0, killed: 0, left: 0, lost: 0, wrong: 0 }
for (let round = 1; round <= rounds; round++) await prove(round)

const { left, lost, wrong } = totals
summarize({
  seed,
  counted: { canaries: totals.canaries, 'to go': totals.gone, 'processes killed': totals.killed },
  faults: { left, lost, wrong },
})

async function prove(round: number): Promise<void> {
  const random = new Random(seed * 1_000 + round)
  const place = join(folder, `${round}`)
  mkdirSync(place)
  const file = join(place, 'holdfast.db')
  let nowMs = 1_790_000_000_000
  const skipsScrub = planted && round % 2 === 1
  const seam = await sqlite(file, { durability: 'normal' }).open({ clock: () => nowMs })
  const store = planted && !skipsScrub ? keepingFiles(seam) : seam
  const holdfast = await openHoldfast({ store, clock: () => (nowMs += 1_000) })
  const canaries = new Canaries(random)
  const filled = new CanaryStore(holdfast, seam, canaries, random)
  await filled.fill()
  const stop = new AbortController()
  const followers = [...filled.sessions.keys()].slice(0, 6).map((id) => followOn(filled, id, stop.signal))
  await holdfast.search('word')
  copyFileSync(file, `${file}.backup-v1-1`)

  const all = chooseFrom(filled, random)
  const prune = all.find((one) => one.do === 'prune')
  const would =
    prune && (await holdfast.prune({ filter: { agentId: 'prunable' }, keepNewest: 2, dryRun: true }))
  const fate = new Fate(filled, all, would?.sessionIds ?? [])
  if (round % 2 === 0 && !planted) await forgetUntilKilled({ file, nowMs, all }, random)
  for (const one of all) await forget(holdfast, one)
  if (!skipsScrub) await holdfast.scrub()

  const gone = canaries.all.filter((canary) => fate.isGone(canary))
  const kept = canaries.all.filter((canary) => !fate.mayBeGone(canary))
  totals.canaries += canaries.all.length
  totals.gone += gone.length
  for (const { file, canary } of inFiles(gone, place)) blame('left', round, `${canary.place} in ${file}`)
  for (const file of inTwoBytes(place)) blame('left', round, `two-byte letters in ${file}`)
  await blameReaders(round, filled, seam, { gone, kept })
  for (const id of filled.sessions.keys()) {
    const isGone = (await holdfast.sessions.get(id)) === undefined
    if (isGone !== fate.deleted.has(id)) blame('wrong', round, `${id} is ${isGone ? 'gone' : 'still there'}`)
  }
  stop.abort()
  await Promise.all(followers)
  await holdfast.close()
  await seam.close()
  for (const { file, canary } of skipsScrub ? [] : inFiles(gone, place)) {
    blame('left', round, `${canary.place} in ${file}, after closing`)
  }
  rmSync(place, { recursive: true })
}

/** Reads by all that was open meanwhile. What other processes wrote reaches it a little later. */
async function blameReaders(
  round: number,
  filled: CanaryStore,
  seam: Store,
  { gone, kept }: { gone: Canary[]; kept: Canary[] },
): Promise<void> {
  let text = await everything(filled, seam)
  for (let tries = 0; tries < 50 && inText(gone, text).size > 0; tries++) {
    await sleep(100)
    text = await everything(filled, seam)
  }
  for (const canary of inText(gone, text)) blame('left', round, `${canary.place} is still given to readers`)
  const found = inText(kept, text)
  for (const canary of kept)
    if (!found.has(canary)) blame('lost', round, `${canary.place} ${JSON.stringify(canary.spots)}`)
  for (const canary of gone) {
    const { hits } = await filled.holdfast.search(canary.text)
    if (hits.length > 0) blame('left', round, `${canary.place} is found by search`)
  }
}

function chooseFrom(filled: CanaryStore, random: Random): Forgetting[] {
  const ids = [...filled.sessions.keys()].filter((id) => !/held|owned|prunable/.test(id))
  const events = filled.events.filter(({ session }) => ids.includes(session))
  const messages = filled.messages.filter(({ session }) => ids.includes(session))
  const all: Forgetting[] = [{ do: 'erase user', userId: 'alice' }]
  if (random.chance(0.8)) all.push({ do: 'prune', agentId: 'prunable', keepNewest: 2 })
  for (let n = 2 + random.below(5); n > 0; n--) {
    const { session, seq } = random.pick(events)
    const more = events
      .filter((event) => event.session === session && random.chance(0.1))
      .map(({ seq }) => seq)
    all.push({ do: 'erase', session, seqs: [...new Set([seq, ...more])] })
  }
  const shown = filled.files.filter(({ shownBy }) => {
    return shownBy.length > 0 && shownBy.every(({ session }) => ids.includes(session))
  })
  const shows = shown.length > 0 ? random.pick(shown).shownBy : []
  for (const { session, seq } of shows) all.push({ do: 'erase', session, seqs: [seq] })
  for (let n = random.below(3); n > 0; n--) {
    const { session, messageId } = random.pick(messages)
    all.push({ do: 'erase message', session, messageId })
  }
  for (let n = random.below(3); n > 0; n--) all.push({ do: 'delete', session: random.pick(ids) })
  return all.sort(() => random.below(3) - 1)
}

async function forgetUntilKilled(task: EraserTask, random: Random): Promise<void> {
  const child = new Child<{ begun?: string }>(new URL('./lib/eraser.ts', import.meta.url))
  await child.require()
  child.send(task)
  for (let read = random.below(task.all.length + 2); read > 0; read--) if (!(await child.next())) break
  await sleep(random.below(40))
  child.kill()
  if ((await child.end()) === 'SIGKILL') totals.killed += 1
  else if (child.errors !== '') blame('wrong', 0, child.errors)
}

async function followOn({ holdfast }: CanaryStore, id: string, signal: AbortSignal): Promise<void> {
  const session = await holdfast.sessions.open(id)
  try {
    for await (const _ of session.follow({ signal })) if (signal.aborted) return
  } catch (error) {
    if (!isHoldfastError(error, 'not_found')) throw error
  }
}

/** The planted bug: no file goes. */
function keepingFiles(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      if (name !== 'commit') return member.bind(target)
      const commit: Store['commit'] = (commits) =>
        target.commit(
          commits.map(({ erase, ...rest }) =>
            erase ? { ...rest, erase: { ...erase, attachments: [] } } : rest,
          ),
        )
      return commit
    },
  })
}

function blame(kind: 'left' | 'lost' | 'wrong', round: number, fault: string): void {
  totals[kind] += 1
  const told = (blamed.get(round) ?? 0) + 1
  blamed.set(round, told)
  if (told <= 10) console.error(`${kind}: round ${round}: ${fault}`)
}
