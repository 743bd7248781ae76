import { expect, it } from 'vitest'
import type { Holdfast } from './holdfast.ts'
import { unknownOutcome, withCommit } from './testing/between.ts'
import { eachSharedStore } from './testing/each-store.ts'
import { assistant, user } from './testing/messages.ts'

eachSharedStore('a lease that was taken with an unknown outcome', (place) => {
  it('is of the epoch that was asked for, though another worker took over since', async () => {
    let rival: Holdfast | undefined
    const wrap = withCommit(async (commits, commit) => {
      const outcomes = await commit(commits)
      if (!rival || commits[0]?.lease === undefined) return outcomes
      place.clock.advance(20_000)
      const theirs = await rival.sessions.open(commits[0].sessionId)
      rival = undefined
      if (theirs.lifecycle !== 'active') throw new Error('not active')
      await theirs.takeOverRun({ owner: 'rival', ttlMs: 60_000 })
      throw unknownOutcome()
    })
    const holdfast = await place.open({ wrap })
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    await session.append(user('go'))
    rival = await place.open()
    const run = await session.startRun({ owner: 'worker', ttlMs: 10_000 })
    expect(run.epoch).toBe(1)
    await expect(run.append(assistant('stale'))).rejects.toMatchObject({ code: 'stale_epoch' })
    expect((await session.view()).run).toMatchObject({ owner: 'rival' })
  })
})
