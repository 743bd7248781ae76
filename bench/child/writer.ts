/** One of several processes that write to one file: its callers each wait for their ack before their next turn. */
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { openBaseline } from '../lib/baseline.ts'
import { serve } from '../lib/child.ts'
import { commitOfTurn, SameCommit } from '../lib/same-commit.ts'
import { text, turn } from '../lib/text.ts'

export interface WriteJob {
  contender: 'by hand' | 'store' | 'holdfast'
  path: string
  /** Of the hand-written file. */
  process: number
  callers: number
  /** Of each caller. */
  turns: number
}

const ways = { 'by hand': byHand, store: byStore, holdfast: byHoldfast }
const warmTurns = 20

await serve(async (job: WriteJob) => {
  const writer = await ways[job.contender](job)
  await writer.write(warmTurns)
  return async (): Promise<number> => {
    await writer.write(job.turns)
    const end = Date.now()
    await writer.close()
    return end
  }
})

interface Writer {
  write(turns: number): Promise<void>
  close(): Promise<void>
}

async function byHand({ path, process, callers }: WriteJob): Promise<Writer> {
  const baseline = openBaseline(path)
  const sessions = Array.from({ length: callers }, (_, caller) => process * callers + caller)
  return {
    async write(turns) {
      for (let n = 0; n < turns; n++) {
        baseline.appendAll(sessions.map((session) => ({ session, user: text(n), assistant: text(n + 1) })))
      }
    },
    close: async () => baseline.close(),
  }
}

async function byStore({ path, callers }: WriteJob): Promise<Writer> {
  const store = await sqlite(path).open({})
  const same: SameCommit[] = []
  while (same.length < callers) same.push(await commitOfTurn(store))
  return {
    async write(turns) {
      for (let n = 0; n < turns; n++) await SameCommit.write(store, same)
    },
    close: () => store.close(),
  }
}

async function byHoldfast({ path, callers }: WriteJob): Promise<Writer> {
  const holdfast = await openHoldfast({ store: sqlite(path) })
  const sessions = await Promise.all(
    Array.from({ length: callers }, () => holdfast.sessions.create({ agentId: 'bench' })),
  )
  return {
    async write(turns) {
      const caller = async (session: (typeof sessions)[number]) => {
        for (let n = 0; n < turns; n++) await session.append(turn(n))
      }
      await Promise.all(sessions.map(caller))
    },
    close: () => holdfast.close(),
  }
}
