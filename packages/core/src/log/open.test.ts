import { expect, it } from 'vitest'
import { type OpenOptions, openHoldfast } from './holdfast.ts'
import { eachStore } from './testing/each-store.ts'
import { calling, user } from './testing/messages.ts'

it('opening without a store, or with a path in its place, says what is expected', async () => {
  for (const options of [undefined, {}, { store: './sessions.db' }, { store: null }]) {
    await expect(openHoldfast(options as OpenOptions)).rejects.toMatchObject({
      code: 'invalid_input',
      message: 'store: expected sqlite(path), memory() or an open store.',
    })
  }
})

eachStore('a write', (place) => {
  it('with a misspelt option is refused and writes nothing', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const misspelt = { idempotencyKey: 'k' } as object
    await expect(session.append(user('twice?'), misspelt)).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('the idempotency key is `key`'),
    })
    expect((await session.view()).counters.messageCount).toBe(0)
  })
})

eachStore('a question asked outside a run', (place) => {
  it('is withdrawn when its session closes or expires', async () => {
    const { sessions } = await place.open()
    const closing = await sessions.create({ agentId: 'agent' })
    await closing.ask({ questionId: 'q', question: 'Go on?' })
    await closing.close()
    expect((await closing.view()).openQuestion).toBeUndefined()
    expect((await sessions.list({ hasQuestion: true })).sessions).toEqual([])
  })

  it('is withdrawn by the sweep that makes an expiry an event', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent', ttlSecs: 10 })
    await session.append(user('hello'))
    await session.ask({ questionId: 'q', question: 'Go on?' })
    place.clock.advance(10_000)
    await holdfast.sweep()
    expect((await session.view()).openQuestion).toBeUndefined()
    expect((await holdfast.sweep()).failed).toEqual([])
  })
})

eachStore('the provider view of a handle', (place) => {
  it('closes a call that nobody answered', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append([user('look it up'), calling('c1')])
    const view = await session.providerView()
    expect(view.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool'])
    expect(view.at(-1)?.parts).toMatchObject([{ callId: 'c1', outcome: 'unknown' }])
  })
})
