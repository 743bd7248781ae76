import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import type { Followed } from './followed-batches.ts'
import { eachStore } from './testing/each-store.ts'
import { user } from './testing/messages.ts'

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

eachStore('batches of a followed session', (place) => {
  it('are not kept by who waits for the next one', async () => {
    const { sessions } = await place.open()
    const { id } = await sessions.create({ agentId: 'agent' })
    const batches = sessions.at(id).followBatches()
    const given = new WeakRef((await batches.next()).value as readonly Followed[])
    const next = batches.next()
    await new Promise((resolve) => setTimeout(resolve, 20))
    collectGarbage()
    expect(given.deref()).toBeUndefined()
    await batches.return?.()
    await next
  })

  it('end for who no longer wants them, also while one is waited for', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const batches = session.followBatches({ after: '1' })
    const waiting = batches.next()
    await new Promise((resolve) => setTimeout(resolve, 20))
    await batches.return?.()
    expect(await waiting).toEqual({ done: true, value: undefined })
    await session.append(user('later'))
    expect(await batches.next()).toEqual({ done: true, value: undefined })
  })

  it('are over after an error', async () => {
    const { sessions } = await place.open()
    const { id } = await sessions.create({ agentId: 'agent' })
    const batches = sessions.at(id).followBatches({ after: '9' })
    await expect(batches.next()).rejects.toMatchObject({ code: 'invalid_cursor' })
    expect(await batches.next()).toEqual({ done: true, value: undefined })
  })
})
