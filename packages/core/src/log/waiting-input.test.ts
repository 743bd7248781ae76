import { expect, it } from 'vitest'
import { eachStore } from './testing/each-store.ts'
import { assistant, textsOf, user } from './testing/messages.ts'

const worker = { owner: 'worker', ttlMs: 10_000 }

eachStore('input that waits for a run', (place) => {
  it('does not move the version when a round takes it in', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.append(user('go'))
    const run = await session.startRun(worker)
    await session.append(user('also'), { policy: 'steer' })
    const { version } = await session.view()
    await run.startRound()
    expect((await session.view()).version).toBe(version)
    expect(textsOf((await session.messages()).messages)).toEqual(['go', 'also'])
  })

  it('is undone message by message', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.append(user('go'))
    const run = await session.startRun(worker)
    for (const text of ['first', 'second']) await session.append(user(text))
    await run.append(assistant('answer'))
    await run.complete()
    await session.append(assistant('to both'))
    const texts = async () => textsOf((await session.messages()).messages)
    await session.undo()
    expect(await texts()).toEqual(['go', 'answer', 'first'])
    expect((await session.view()).counters.messageCount).toBe(3)
    await session.undo()
    expect(await texts()).toEqual(['go', 'answer'])
    await session.redo()
    await session.redo()
    expect(await texts()).toEqual(['go', 'answer', 'first', 'second', 'to both'])
  })

  it('leaves a way to what is older when it fills a page', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    for (let n = 0; n < 4; n++) await session.append(user(`q${n}`))
    await session.startRun(worker)
    for (let n = 0; n < 3; n++) await session.append(user(`w${n}`))
    for (const limit of [2, 3]) {
      const page = await session.messages({ limit })
      expect(textsOf(page.messages)).toEqual(['w0', 'w1', 'w2'])
      const older = await session.messages({ limit: 4, before: page.older as string })
      expect(textsOf(older.messages)).toEqual(['q0', 'q1', 'q2', 'q3'])
      expect(older.older).toBeUndefined()
    }
  })
})
