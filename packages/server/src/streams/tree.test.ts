import { createClient, type FollowedInTree } from '@holdfast/client'
import type { CreatedSession } from '@holdfast/core'
import { expect, it } from 'vitest'
import { serverLimits } from '../limits.ts'
import { eachServer, pepper, type TestServer } from '../testing/each-server.ts'
import { take } from '../testing/sse.ts'

const user = (words: string) => ({ role: 'user' as const, parts: [{ type: 'text' as const, text: words }] })
const live = { accept: 'text/event-stream' }

/** Session and seq of an event, by the names that the test knows them by. */
type Place = `${string} ${number}`

function clientOf(place: TestServer, key?: string) {
  const fetch = (request: Request) => place.server.fetch(request)
  return createClient({ url: 'http://localhost', fetch, sleep: async () => {}, ...(key && { key }) })
}

async function seen(items: AsyncIterable<FollowedInTree>, count: number): Promise<Place[]> {
  const places: Place[] = []
  for await (const item of items) {
    if (item.type !== 'event') continue
    places.push(`${item.sessionId} ${item.event.seq}`)
    if (places.length === count) break
  }
  return places
}

function family(place: TestServer): Promise<CreatedSession> {
  return place.holdfast.sessions.create({ agentId: 'agent', id: 'root', ownerUserId: 'u1' })
}

function child(place: TestServer, parent: string, childId: string, ownerUserId = 'u1') {
  return place.holdfast.sessions.at(parent).spawnChild({ agentId: 'agent', childId, ownerUserId })
}

eachServer('a tree in one stream', { heartbeatMs: 20 }, (place) => {
  it('has the history of all its sessions, and children that join meanwhile', async () => {
    const root = await family(place)
    await child(place, 'root', 'c1')
    const reading = seen(clientOf(place).sessions.follow('root', { children: true }), 9)
    await child(place, 'c1', 'c2')
    await place.holdfast.sessions.at('c2').append(user('deep'))
    await root.append(user('high'))
    const found = await reading
    expect(found.toSorted()).toEqual([
      'c1 1',
      'c1 2',
      'c2 1',
      'c2 2',
      'c2 3',
      'root 1',
      'root 2',
      'root 3',
      'root 4',
    ])
  })

  it('goes on from any of its cursors, also after a restart, without gap or repeat', async () => {
    await family(place)
    for (const id of ['c1', 'c2', 'c3']) await child(place, 'root', id)
    const places: Place[] = []
    let after = '0'
    for (let round = 0; places.length < 3 * 13 + 4; round++) {
      if (round < 12)
        for (const id of ['c1', 'c2', 'c3']) await place.holdfast.sessions.at(id).append(user(`${round}`))
      if (round % 5 === 4) await place.restart()
      let taken = 0
      for await (const item of clientOf(place).sessions.follow('root', { children: true, after })) {
        if (item.type !== 'event') continue
        places.push(`${item.sessionId} ${item.event.seq}`)
        after = item.cursor
        if (++taken === 1 + (round % 4) || places.length === 3 * 13 + 4) break
      }
    }
    expect(new Set(places).size).toBe(places.length)
    for (const id of ['c1', 'c2', 'c3']) {
      const seqs = places.filter((one) => one.startsWith(id)).map((one) => Number(one.split(' ')[1]))
      expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, n) => n + 1))
    }
  })

  it('as pages gives the same, and waits for what any of them is given', async () => {
    await family(place)
    await child(place, 'root', 'c1')
    const { sessions } = clientOf(place)
    const first = await sessions.events('root', { children: true, limit: 2 })
    const rest = await sessions.events('root', { children: true, after: first.next ?? '' })
    expect([...first.data, ...rest.data].map(({ sessionId, seq }) => `${sessionId} ${seq}`)).toEqual([
      'root 1',
      'root 2',
      'c1 1',
    ])
    const after = rest.next ?? ''
    const waiting = sessions.events('root', { children: true, after, wait: 30 })
    await place.holdfast.sessions.at('c1').append(user('x'))
    expect((await waiting).data[0]).toMatchObject({ sessionId: 'c1', seq: 2 })
    expect(await sessions.events('root', { children: true, after, limit: 1, wait: 1 })).toMatchObject({
      data: [{ seq: 2 }],
    })
  })

  it('carries drafts of any of them, and goes on without what is deleted', async () => {
    const root = await family(place)
    await child(place, 'root', 'c1')
    await child(place, 'root', 'c2')
    await place.holdfast.sessions.at('c1').append(user('go'))
    const run = await place.holdfast.sessions.at('c1').startRun({ owner: 'w', ttlMs: 10_000 })
    const draft = (await run.startRound()).draft()
    draft.write('Hel')
    await draft.flush()
    const headers = live
    const open = () => place.caller.open('GET', '/v1/sessions/root/events?children=true', { headers })
    const frames = await take((await open()).body, 11)
    const spoken = frames.find(({ event }) => event === 'draft')
    expect(JSON.parse(spoken?.data ?? '')).toMatchObject({ sessionId: 'c1', text: 'Hel' })
    await place.holdfast.sessions.delete('c2')
    const again = seen(
      clientOf(place).sessions.follow('root', { children: true, after: frames.at(-1)?.id ?? '' }),
      1,
    )
    await root.append(user('more'))
    expect(await again).toEqual(['root 4'])
  })

  it('refuses a cursor that is not of the tree', async () => {
    await family(place)
    await place.holdfast.sessions.create({ agentId: 'agent', id: 'stranger' })
    const path = '/v1/sessions/root/events?children=true&after='
    for (const cursor of ['1~stranger~1', '9', '1~c1', '1~root~1', '1~a b~1', 'x']) {
      const { json } = await place.caller.get(path + encodeURIComponent(cursor), { headers: live })
      expect(json.code, cursor).toBe('invalid_cursor')
    }
    expect((await place.caller.get('/v1/sessions/none/events?children=true')).json.code).toBe('not_found')
  })

  it('takes no more sessions than serverLimits.treeCursorBytes can name', async () => {
    await family(place)
    const names = Array.from({ length: 60 }, (_, n) => `${'c'.repeat(120)}${n}`)
    for (const name of names) await child(place, 'root', name)
    const { json } = await place.caller.get('/v1/sessions/root/events?children=true&limit=200')
    expect(json).toMatchObject({
      code: 'limit_exceeded',
      details: { limit: 'treeCursorBytes', max: serverLimits.treeCursorBytes },
    })
  })
})

eachServer('a tree that is not all the caller’s', { pepper }, (place) => {
  it('is given without the children of others and what is below them', async () => {
    await family(place)
    await child(place, 'root', 'mine')
    await child(place, 'root', 'theirs', 'u2')
    await child(place, 'theirs', 'below')
    const asked = { name: 'k', scopes: ['read'] as const, userId: 'u1' }
    const key = (await place.server.keys?.create('default' as never, asked))?.key ?? ''
    const { sessions } = clientOf(place, key)
    const page = await sessions.events('root', { children: true })
    expect(page.data.map(({ sessionId }) => sessionId)).toEqual(['root', 'root', 'root', 'mine'])
    const reading = seen(sessions.follow('root', { children: true }), 5)
    await place.holdfast.sessions.at('theirs').append(user('secret'))
    await place.holdfast.sessions.at('mine').append(user('open'))
    expect((await reading).some((one) => /theirs|below/.test(one))).toBe(false)
  })
})
