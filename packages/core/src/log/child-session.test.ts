import { HoldfastError, isKnown } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { Holdfast } from './holdfast.ts'
import { withCommit } from './testing/between.ts'
import { eachSharedStore, eachStore } from './testing/each-store.ts'
import { gather } from './testing/gather.ts'

/** The first commit of the child itself is lost. */
function losingOneBeginning(childId: string) {
  let isLost = false
  return withCommit((commits, commit) => {
    if (isLost || !commits.some(({ sessionId }) => sessionId === childId)) return commit(commits)
    isLost = true
    throw new HoldfastError('store_unavailable', 'the disk is gone')
  })
}

async function parentIn({ sessions }: Holdfast) {
  const budget = { spend: { tokens: 1_000 } }
  const session = await sessions.create({ id: 'parent', agentId: 'agent', budget })
  return { session, run: await session.startRun({ owner: 'worker', ttlMs: 60_000 }) }
}

async function grantOf({ sessions }: Holdfast, childId: string): Promise<unknown> {
  return (await (await sessions.open(childId)).view()).budget
}

eachStore('a child', (place) => {
  it('has what its parent granted first, whoever asks for it again at the same time', async () => {
    const holdfast = await place.open()
    const { run } = await parentIn(holdfast)
    const asks = [{ tokens: 10 }, {}, { tokens: 500 }].map((grant) =>
      run.spawnChild({ agentId: 'agent', childId: 'child', grant }),
    )
    await Promise.allSettled(asks)
    expect(await grantOf(holdfast, 'child')).toMatchObject({ spend: { tokens: 10 } })
  })

  it('that was granted to and not begun is begun with that grant, and with no other agent', async () => {
    const holdfast = await place.open({ wrap: losingOneBeginning('child') })
    const { run } = await parentIn(holdfast)
    const first = run.spawnChild({ agentId: 'agent', childId: 'child', grant: { tokens: 500 } })
    await expect(first).rejects.toMatchObject({ code: 'store_unavailable' })
    await expect(run.spawnChild({ agentId: 'other', childId: 'child' })).rejects.toMatchObject({
      code: 'duplicate_id',
    })
    expect(await run.spawnChild({ agentId: 'agent', childId: 'child' })).toMatchObject({ childId: 'child' })
    expect(await grantOf(holdfast, 'child')).toMatchObject({ spend: { tokens: 500 } })
  })

  it('that cannot be costs its parent nothing', async () => {
    const holdfast = await place.open()
    const { session, run } = await parentIn(holdfast)
    await holdfast.sessions.create({ id: 'stranger', agentId: 'agent' })
    const before = (await session.view()).seq
    const grant = { tokens: 200 }
    const bad: [string, object][] = [
      ['invalid_input', { purpose: 'autonomous' }],
      ['invalid_input', { ttlSecs: 0 }],
      ['invalid_input', { nonsense: 1 }],
      ['id_taken', { childId: 'stranger' }],
    ]
    for (const [code, input] of bad) {
      const spawning = run.spawnChild({ agentId: 'agent', grant, ...input })
      await expect(spawning, JSON.stringify(input)).rejects.toMatchObject({ code })
    }
    expect((await session.view()).seq).toBe(before)
  })
})

const takers: Record<string, (rival: Holdfast) => Promise<unknown>> = {
  'a session': ({ sessions }) => sessions.create({ id: 'child', agentId: 'agent' }),
  'the same child of another parent': async ({ sessions }) => {
    const other = await sessions.create({
      id: 'other',
      agentId: 'agent',
      budget: { spend: { tokens: 1_000 } },
    })
    await other.spawnChild({ agentId: 'agent', childId: 'child', grant: { tokens: 600 } })
  },
}

eachSharedStore('a child', (place) => {
  it.each(Object.entries(takers))(
    'whose id was taken by %s meanwhile gives the grant back',
    async (_name, take) => {
      const rival = await place.open()
      let isTaken = false
      const taking = withCommit(async (commits, commit) => {
        const outcomes = await commit(commits)
        const isSpawned = commits.some(({ events }) => events.some(({ type }) => type === 'child.spawned'))
        if (isSpawned && !isTaken) await take(rival)
        isTaken ||= isSpawned
        return outcomes
      })
      const holdfast = await place.open({ wrap: taking })
      const { session, run } = await parentIn(holdfast)
      const spawning = run.spawnChild({ agentId: 'agent', childId: 'child', grant: { tokens: 600 } })
      await expect(spawning).rejects.toMatchObject({ code: 'id_taken' })
      const { events } = await session.events()
      const ends = events.flatMap((event) => (isKnown(event, 'child.finished') ? [event.data.outcome] : []))
      expect(ends).toEqual(['failed'])
      await run.spawnChild({ agentId: 'agent', grant: { tokens: 1_000 } })
      expect(await gather(holdfast.doctor({ sessionId: session.id }))).toEqual([])
    },
  )
})
