import { setImmediate as nextTurn } from 'node:timers/promises'
import { HoldfastError } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { CommitOutcome } from '../store/store.ts'
import { withCommit } from './testing/between.ts'
import { eachStore } from './testing/each-store.ts'
import { user } from './testing/messages.ts'

const full = new HoldfastError('store_full', 'The disk is full; nothing was written.')
const unknown = new HoldfastError('commit_unknown', 'The connection broke.')

/** In place of the test runner, until it is asked what came. */
function takeUncaught(): () => Promise<unknown[]> {
  const others = process.listeners('unhandledRejection')
  const reasons: unknown[] = []
  const take = (reason: unknown) => reasons.push(reason)
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', take)
  return async () => {
    await nextTurn()
    process.off('unhandledRejection', take)
    for (const other of others) process.on('unhandledRejection', other)
    return reasons
  }
}

eachStore('a commit that failed while others of its batch were written', (place) => {
  it('is told to its own caller, and the next write goes on', async () => {
    let failing = false
    const wrap = withCommit(async (commits, commit) => {
      const kept = failing ? commits.slice(1) : commits
      const outcomes = await commit(kept)
      if (!failing) return outcomes
      failing = false
      return [{ status: 'failed', error: full } satisfies CommitOutcome, ...outcomes]
    })
    const { sessions } = await place.open({ wrap })
    const [first, second] = [
      await sessions.create({ agentId: 'agent' }),
      await sessions.create({ agentId: 'agent' }),
    ]
    failing = true
    const [refused, written] = await Promise.allSettled([first.append(user('a')), second.append(user('b'))])
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'store_full' } })
    expect(written.status).toBe('fulfilled')
    await first.append(user('again'))
    expect((await first.messages()).messages).toHaveLength(1)
  })

  it('is read back when its outcome is unknown', async () => {
    let failing = false
    const wrap = withCommit(async (commits, commit) => {
      const outcomes = await commit(commits)
      if (!failing) return outcomes
      failing = false
      return outcomes.map(() => ({ status: 'failed', error: unknown }) satisfies CommitOutcome)
    })
    const { sessions } = await place.open({ wrap })
    const session = await sessions.create({ agentId: 'agent' })
    failing = true
    await session.append(user('once'))
    expect((await session.messages()).messages).toHaveLength(1)
  })

  it('is no failure of what was written when somebody who hears of it throws', async () => {
    const holdfast = await place.open()
    const uncaught = takeUncaught()
    const stop = holdfast.onCommit(() => {
      throw new Error('miscounted')
    })
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    await session.append(user('a'))
    stop()
    await session.append(user('b'))
    expect((await session.messages()).messages).toHaveLength(2)
    expect((await uncaught()).map(String)).toEqual(['Error: miscounted', 'Error: miscounted'])
  })
})
