/** A store that says of each durable step that it was done, and dies at the one that it is told to. */
import type { Store, StoreFactory } from '@holdfast/core'
import { report } from '../child.ts'
import { wrapStore } from '../wrap-store.ts'
import type { CommitOutcome, PlayerReport, PlayerTask } from './task.ts'

type Commit = Parameters<Store['commit']>[0][number]
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
        const outcomes = await store.commit(commits)
        for (const [at, commit] of commits.entries()) tell(commit, outcomes[at])
        return outcomes
      }),
    appendDraft: (write) =>
      step(`${whose(write.sessionId)}draft`, async () => {
        const outcome = await store.appendDraft(write)
        tellDraft(write.sessionId, write.epoch, outcome)
        return outcome
      }),
  }))
}

function die(name: string): void {
  report({ dying: name } satisfies PlayerReport)
  process.kill(process.pid, 'SIGKILL')
  for (;;);
}

function tell({ sessionId: session, epoch }: Commit, outcome: CommitOutcome | undefined): void {
  if (epoch === undefined || !outcome) return
  const { status } = outcome
  const seq = status === 'committed' ? { seq: outcome.lastSeq } : {}
  report({ held: { session, epoch, status, ...seq } } satisfies PlayerReport)
}

function tellDraft(session: string, epoch: number, { status }: DraftOutcome): void {
  if (status === 'written' || status === 'fenced')
    report({ held: { session, epoch, status } } satisfies PlayerReport)
}
