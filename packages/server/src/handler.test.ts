import { type Holdfast, openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { expect, it } from 'vitest'
import { createServer } from './handler.ts'
import { take } from './testing/sse.ts'

it('a server that is closed has let go of the store, and of its followers', async () => {
  const store = await openHoldfast({ store: memory() })
  const { holdfast, listeners } = counting(store)
  const { id } = await store.sessions.create({ agentId: 'agent' })
  for (let n = 0; n < 100; n++) {
    const server = createServer({ holdfast })
    expect(listeners()).toBeGreaterThan(0)
    const headers = { accept: 'text/event-stream' }
    const { body } = await server.fetch(new Request(`http://localhost/v1/sessions/${id}/events`, { headers }))
    const frames = take(body, 99)
    while (server.followers === 0) await new Promise(setImmediate)
    server.close()
    server.close()
    expect((await frames).at(-1)?.event).toBe('error')
    expect([listeners(), server.followers]).toEqual([0, 0])
  }
  await store.close()
})

/** The same store, and how many listen to what it writes. */
function counting(store: Holdfast): { holdfast: Holdfast; listeners(): number } {
  const listening = new Set<symbol>()
  const counted = (stop: () => void): (() => void) => {
    const one = Symbol('listener')
    listening.add(one)
    return () => {
      listening.delete(one)
      stop()
    }
  }
  const onCommit: Holdfast['onCommit'] = (listener) => counted(store.onCommit(listener))
  const onSync: Holdfast['onSync'] = (listener) => counted(store.onSync(listener))
  const holdfast = new Proxy(store, {
    get: (target, name) => {
      if (name === 'onCommit') return onCommit
      if (name === 'onSync') return onSync
      const own = Reflect.get(target, name)
      return typeof own === 'function' ? own.bind(target) : own
    },
  })
  return { holdfast, listeners: () => listening.size }
}
