import { expect, it } from 'vitest'
import { LogReads } from '../log-reads.ts'
import { eachStore } from '../testing/each-store.ts'
import { gather } from '../testing/gather.ts'
import { assistant, calling, user } from '../testing/messages.ts'
import { upcasters } from '../upcast.ts'
import { viewPieces } from './check-view.ts'

eachStore('a long view', (place) => {
  it('is judged in pieces that are the whole of it, none of which parts a call from its result', async () => {
    const store = await place.openStore()
    const holdfast = await place.open({ wrap: () => store })
    const session = await (await holdfast.sessions.create({ id: 's', agentId: 'agent' })).activate()
    for (let n = 0; n < 500; n += 50) {
      for (let m = n; m < n + 50; m++) {
        await session.batch([
          { type: 'append', message: user(`look up ${m}`) },
          { type: 'append', message: calling(`a${m}`, `b${m}`) },
          { type: 'finishTool', callId: `b${m}`, output: 'seen' },
          { type: 'finishTool', callId: `a${m}`, output: 'seen' },
          { type: 'append', message: assistant(`found ${m}`) },
        ])
      }
    }
    const reads = new LogReads(store, holdfast.tenantId, upcasters)
    const pieces = await gather(viewPieces(reads, (await reads.requireState('s')).state))
    expect(pieces.length).toBeGreaterThan(2)
    const [first = [], ...later] = pieces
    for (const [opening, answer] of later)
      expect([opening?.role, answer?.role]).toEqual(['user', 'assistant'])
    const whole = [first, ...later.map((piece) => piece.slice(1))]
    expect(whole.flat()).toEqual(await session.providerView())
  })
})
