import { expect, it } from 'vitest'
import type { Followed } from './followed-batches.ts'
import { eachSharedStore, eachStore } from './testing/each-store.ts'
import { assistant, user } from './testing/messages.ts'

/** Items until `count` of them came. */
async function take(items: AsyncIterable<Followed>, count: number): Promise<Followed[]> {
  const taken: Followed[] = []
  for await (const item of items) {
    taken.push(item)
    if (taken.length === count) break
  }
  return taken
}

function seqs(items: readonly Followed[]): number[] {
  return items.map((item) => (item.type === 'event' ? item.event.seq : 0))
}

function upTo(last: number, from = 1): number[] {
  return Array.from({ length: last - from + 1 }, (_, n) => from + n)
}

eachStore('following a session', (place) => {
  it('joins history and what comes after, without gap or repeat', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const total = 10_000
    const write = async () => {
      for (let n = 0; n < (total - 2) / 58; n++) {
        await Promise.all(Array.from({ length: 29 }, () => session.append([user('u'), assistant('a')])))
      }
    }
    const readers = Promise.all([
      take(session.follow(), total),
      take(session.follow({ after: '0' }), total),
      readSlowly(session.follow(), total),
    ])
    await write()
    const late = await take(session.follow({ after: '5000' }), 100)
    for (const items of await readers) expect(seqs(items)).toEqual(upTo(total))
    expect(seqs(late)).toEqual(upTo(5_100, 5_001))
  })

  it('resumes from any cursor it gave', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(Array.from({ length: 20 }, () => user('x')))
    const all = await take(session.follow(), 22)
    for (const item of all.slice(0, -1)) {
      const [next] = await take(session.follow({ after: item.cursor }), 1)
      expect((next as Followed).cursor).toBe(String(Number(item.cursor) + 1))
    }
  })

  it('sends exactly the stored text and parses it only when asked', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('a "quoted" text'))
    const { events } = await session.events()
    const items = await take(session.follow(), 3)
    expect(items.map((item) => (item.type === 'event' ? JSON.parse(item.text) : undefined))).toEqual(events)
  })

  it('ends when its signal aborts, while waiting and before', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const stop = new AbortController()
    let met = 0
    for await (const _ of session.follow({ signal: stop.signal })) {
      met += 1
      setImmediate(() => stop.abort())
    }
    expect(met).toBe(1)
    expect(await take(session.follow({ signal: stop.signal }), 9)).toHaveLength(0)
  })

  it('refuses a cursor beyond the end, a malformed one and a missing session', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    for (const after of ['2', 'x', '1:', '-1', '1:d:x']) {
      await expect(take(session.follow({ after }), 1)).rejects.toMatchObject({ code: 'invalid_cursor' })
    }
    await sessions.delete(session.id)
    await expect(take(session.follow(), 1)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('ends with not found when the session is deleted meanwhile', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const following = take(session.follow({ after: '1' }), 1)
    setImmediate(() => void sessions.delete(session.id))
    await expect(following).rejects.toMatchObject({ code: 'not_found' })
  })
})

eachSharedStore('following what another process writes', (place) => {
  it('misses and repeats nothing', async () => {
    const [here, there] = [await place.open(), await place.open()]
    const { id } = await here.sessions.create({ agentId: 'agent' })
    const [ours, theirs] = [await here.sessions.open(id), await there.sessions.open(id)]
    if (ours.lifecycle !== 'created' || theirs.lifecycle !== 'created') throw new Error('not created')
    const reading = Promise.all([take(ours.follow(), 402), take(theirs.follow(), 402)])
    const write = async (session: typeof ours) => {
      for (let n = 0; n < 20; n++) await session.append(Array.from({ length: 10 }, () => user('x')))
    }
    await Promise.all([write(ours), write(theirs)])
    for (const items of await reading) expect(seqs(items)).toEqual(upTo(402))
  })
})

async function readSlowly(items: AsyncIterable<Followed>, count: number): Promise<Followed[]> {
  const taken: Followed[] = []
  for await (const item of items) {
    if (taken.length % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    taken.push(item)
    if (taken.length === count) break
  }
  return taken
}
