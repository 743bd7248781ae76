import { expect, it } from 'vitest'
import { eachServer, pepper } from '../testing/each-server.ts'
import { type Frame, take } from '../testing/sse.ts'

const live = { accept: 'text/event-stream' }

eachServer("a tenant's live feed", { pepper }, (place) => {
  const keyed = async (tenant: string, userId?: string) => {
    const asked = { name: 'k', scopes: ['read', 'write'] as const, userId }
    return place.caller.withKey((await place.server.keys?.create(tenant as never, asked))?.key ?? '')
  }
  const idsOf = (frames: readonly Frame[]) => frames.map(({ data }) => JSON.parse(data ?? '').id)

  it('tells of what changes, whose it is to see, in order, and goes on from a cursor', async () => {
    const [ours, user, theirs] = [await keyed('a'), await keyed('a', 'u1'), await keyed('b')]
    const make = async (caller: typeof ours, ownerUserId: string) =>
      (await caller.post('/v1/sessions', { agentId: 'agent', ownerUserId })).json.id
    const old = await make(ours, 'u1')
    place.clock.advance(5_000)
    const headers = live
    const all = await ours.open('GET', '/v1/fleet/events', { headers })
    const own = await user.open('GET', '/v1/fleet/events', { headers })
    const [allFrames, ownFrames] = [take(all.body, 3), take(own.body, 2)]
    await make(theirs, 'u1')
    const second = await make(ours, 'u2')
    place.clock.advance(2_000)
    const third = await make(ours, 'u1')
    place.clock.advance(2_000)
    await ours.post(`/v1/sessions/${old}/messages`, { role: 'user', parts: [{ type: 'text', text: 'x' }] })
    const frames = await allFrames
    expect(idsOf(frames)).toEqual([second, third, old])
    expect(new Set(frames.map(({ event }) => event))).toEqual(new Set(['session.changed']))
    expect(idsOf(await ownFrames)).toEqual([third, old])
    const again = { ...live, 'last-event-id': frames[1]?.id ?? '' }
    const resumed = await ours.open('GET', '/v1/fleet/events', { headers: again })
    expect(idsOf(await take(resumed.body, 2))).toEqual([third, old])
    const page = await user.get(`/v1/fleet/events?after=${frames[0]?.id}`)
    expect(page.json.data.map(({ id }: { id: string }) => id)).toEqual([old, third])
    expect((await user.get('/v1/fleet/events?ownerUserId=u2')).json.code).toBe('forbidden')
    const wrong = await ours.get('/v1/fleet/events', { headers: { ...live, 'last-event-id': '12' } })
    expect(wrong.json.code).toBe('invalid_cursor')
  })
})
