/** A store that says of each durable step that it was done, and dies at the one that it is told to. */
import type { Store, StoreFactory } from '@holdfast/core'
import { report } from '../child.ts'
import { wrapStore } from '../wrap-store.ts'
import type { HeldWrite, PlayerReport, PlayerTask } from './task.ts'

type Commit = Parameters<Store['commit']>[0][number]
type CommitOutcome = Awaited<ReturnType<Store['commit']>>[number]
type DraftWrite = Parameters<Store['appendDraft']>[0]
type DraftOutcome = Awaited<ReturnType<Store['appendDraft']>>

export function stepping(factory: StoreFactory, { death, sessions }: PlayerTask): StoreFactory {
  const times = new Map<string, number>()

  async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
    const time = (times.get(what) ?? 0) + 1
    times.set(what, time)
    const name = `${what} #${time}`
    const isLast = name === death?.step
    if (isLast && death.side === 'before') die(name)
    const result = await work()
    report({ step: name } satisfies PlayerReport)
    if (isLast) die(name)
    return result
  }

  const whose = (sessionId: string): string => (sessions.includes(sessionId) ? '' : 'child: ')
  const nameOf = ({ sessionId, events }: Commit): string =>
    `${whose(sessionId)}${events.map(({ type }) => type).join(' + ')}`

  return wrapStore(factory, (store: Store) => ({
    commit: (commits) =>
      step(commits.map(nameOf).join(' | '), async () => {
        const begun = now()
        const outcomes = await store.commit(commits)
        for (const [nth, commit] of commits.entries()) tell(commit, outcomes[nth], begun)
        return outcomes
      }),
    appendDraft: (write) =>
      step(`${whose(write.sessionId)}draft`, async () => {
        const begun = now()
        const outcome = await store.appendDraft(write)
        tellDraft(write, outcome, begun)
        return outcome
      }),
  }))
}

function die(name: string): void {
  report({ dying: name } satisfies PlayerReport)
  process.kill(process.pid, 'SIGKILL')
  for (;;);
}

/** Nanoseconds of the monotonic clock. */
function now(): string {
  return String(process.hrtime.bigint())
}

function tell({ sessionId, epoch }: Commit, outcome: CommitOutcome | undefined, begun: string): void {
  if (epoch === undefined || !outcome) return
  const seq = outcome.status === 'committed' ? { seq: outcome.lastSeq } : {}
  tellHeld({ session: sessionId, epoch, begun, isRefused: outcome.status === 'fenced', ...seq })
}

function tellDraft({ sessionId, epoch }: DraftWrite, { status }: DraftOutcome, begun: string): void {
  tellHeld({ session: sessionId, epoch, begun, isRefused: status !== 'written' })
}

function tellHeld(write: Omit<HeldWrite, 'answered'>): void {
  report({ held: { ...write, answered: now() } } satisfies PlayerReport)
}
