/** The store without the engine: the very commit that the engine makes of a turn, again and again. */
import { openHoldfast, type Store } from '@holdfast/core'
import { turn } from './text.ts'

type Commit = Parameters<Store['commit']>[0][number]

/** What the engine hands to the store for one turn of a session that has no other writer from here on. */
export async function commitOfTurn(store: Store): Promise<SameCommit> {
  const holdfast = await openHoldfast({ store })
  const session = await holdfast.sessions.create({ agentId: 'bench' })
  // The first turn activates the session as well.
  await session.append(turn(0))
  const write = store.commit
  let last: Commit | undefined
  store.commit = (commits) => {
    last = commits.at(-1)
    return write.call(store, commits)
  }
  await session.append(turn(0))
  store.commit = write
  await holdfast.close()
  return new SameCommit(last as Commit)
}

export class SameCommit {
  #next: Commit

  constructor(done: Commit) {
    this.#next = done
    this.#moveOn()
  }

  /** One call of the store for one turn of each session. */
  static async write(store: Store, turns: readonly SameCommit[]): Promise<void> {
    const outcomes = await store.commit(turns.map((turn) => turn.#next))
    for (const { status } of outcomes) if (status !== 'committed') throw new Error(`the commit was ${status}`)
    for (const turn of turns) turn.#moveOn()
  }

  #moveOn(): void {
    const { baseSeq, events } = this.#next
    this.#next = { ...this.#next, baseSeq: baseSeq + events.length, commitId: `bench.${baseSeq}` }
  }
}
