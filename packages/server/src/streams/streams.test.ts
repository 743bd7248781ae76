import { setTimeout as pause } from 'node:timers/promises'
import type { CreatedSession } from '@holdfast/core'
import { encodeCursor } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { serverLimits } from '../limits.ts'
import { eachServer } from '../testing/each-server.ts'
import { framesOf, take } from '../testing/sse.ts'

const user = (words: string) => ({ role: 'user' as const, parts: [{ type: 'text' as const, text: words }] })
const live = { accept: 'text/event-stream' }

eachServer('streams', { heartbeatMs: 20 }, (place) => {
  const made = (): Promise<CreatedSession> => place.holdfast.sessions.create({ agentId: 'agent' })
  const open = (id: string, after?: string, more = ''): Promise<Response> => {
    const headers = { ...live, ...(after !== undefined && { 'last-event-id': after }) }
    return place.caller.open('GET', `/v1/sessions/${id}/events${more}`, { headers })
  }

  it('give history, then what is written from now on, each with its cursor and type', async () => {
    const session = await made()
    await session.append(user('one'))
    const response = await open(session.id)
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const reading = take(response.body, 5)
    await session.append([user('two'), user('three')])
    const frames = await reading
    expect(frames.map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5'])
    expect(frames.map(({ event }) => event)).toEqual([
      'session.created',
      'session.activated',
      'message.appended',
      'message.appended',
      'message.appended',
    ])
    const { events } = await session.events()
    expect(frames.map(({ data }) => JSON.parse(data ?? ''))).toEqual(events)
  })

  it('go on from a cursor, by header or query, and the header wins', async () => {
    const session = await made()
    await session.append(Array.from({ length: 5 }, () => user('x')))
    expect((await take((await open(session.id, '4')).body, 1))[0]?.id).toBe('5')
    expect((await take((await open(session.id, undefined, '?after=5')).body, 1))[0]?.id).toBe('6')
    expect((await take((await open(session.id, '4', '?after=1')).body, 1))[0]?.id).toBe('5')
    expect((await place.caller.get('/v1/sessions/none/events', { headers: live })).json.code).toBe(
      'not_found',
    )
  })

  it('refuse a cursor beyond the end, and so does every page', async () => {
    const session = await made()
    const path = `/v1/sessions/${session.id}/events?after=`
    const end = String((await session.view()).seq)
    const beyond = encodeCursor({ seq: Number(end) + 1 })
    for (const [query, headers] of [
      ['', {}],
      ['&wait=2', {}],
      ['', live],
    ] as const) {
      const { status, json } = await place.caller.get(`${path}${beyond}${query}`, { headers })
      expect([status, json.code], query).toEqual([400, 'invalid_cursor'])
    }
    expect((await place.caller.get(`${path}${end}`)).json).toEqual({ data: [], next: null })
  })

  it('cut off anywhere, also across a restart, lose and repeat nothing', async () => {
    const session = await made()
    const total = 302
    await session.append(Array.from({ length: 100 }, (_, n) => user('x'.repeat(n * 7))))
    const { id } = session
    const seen: string[] = []
    let cursor = '0'
    for (let cut = 0; seen.length < total; cut++) {
      if (cut % 10 === 3) await place.restart()
      if (cut < 20) {
        const handle = place.holdfast.sessions.at(id)
        await handle.append(Array.from({ length: 10 }, () => user('later')))
      }
      for (const frame of await cutOff((await open(id, cursor)).body, 1 + ((cut * 7_919) % 9_000))) {
        if (frame.id === undefined) continue
        seen.push(frame.id)
        cursor = frame.id
      }
    }
    expect(seen).toEqual(Array.from({ length: total }, (_, n) => String(n + 1)))
  })

  it('carry drafts, with cursors to go on from in the middle of a word', async () => {
    const session = await made()
    await session.append(user('go'))
    const run = await session.startRun({ owner: 'w', ttlMs: 10_000 })
    const round = await run.startRound()
    const draft = round.draft()
    draft.write('Hel')
    await draft.flush()
    draft.write('lo')
    await draft.flush()
    const { seq } = await session.view()
    const frames = await take((await open(session.id, String(seq))).body, 2)
    expect(frames.map(({ event }) => event)).toEqual(['draft', 'draft'])
    const [next] = await take((await open(session.id, frames[0]?.id)).body, 1)
    expect(next).toEqual(frames[1])
  })

  it('send only the chosen types', async () => {
    const session = await made()
    await session.append(user('x'))
    await session.rename('T')
    const frames = await take((await open(session.id, undefined, '?types=message.*,session.renamed')).body, 2)
    expect(frames.map(({ event }) => event)).toEqual(['message.appended', 'session.renamed'])
  })

  it('are kept alive while nothing happens', async () => {
    const session = await made()
    const reader = ((await open(session.id, '1')).body as ReadableStream<Uint8Array>).getReader()
    const { value } = await reader.read()
    expect(new TextDecoder().decode(value)).toBe(': still here\n\n')
    await reader.cancel()
  })

  it('make nothing that a reader does not take, however far behind, and give it all in the end', async () => {
    const session = await made()
    const words = 'x'.repeat(10_000)
    const { body } = await open(session.id)
    const reader = (body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    for (let n = 0; n < 40; n++) await session.append(user(words))
    await pause(60)
    const { value } = await reader.read()
    expect(value?.byteLength).toBeLessThan(serverLimits.streamBytes + 11_000)
    let size = value?.byteLength ?? 0
    while (size < 40 * 10_000) size += (await reader.read()).value?.byteLength ?? 0
    await reader.cancel()
  })

  it('that wait for their readers tell for how long', async () => {
    const session = await made()
    await session.append(Array.from({ length: 30 }, () => user('x'.repeat(10_000))))
    const lag = async () =>
      /\nholdfast_stream_lag_seconds (.+)/.exec((await place.caller.get('/metrics')).text)?.[1]
    const reader = ((await open(session.id)).body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    await pause(20)
    place.clock.advance(7_000)
    expect(await lag()).toBe('7')
    await reader.cancel()
    expect(await lag()).toBe('0')
  })

  it('end for a reader who leaves', async () => {
    const session = await made()
    const reader = ((await open(session.id)).body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    expect(place.server.followers).toBe(1)
    await reader.cancel()
    expect(place.server.followers).toBe(0)
  })

  it('end with an error frame when the session is deleted', async () => {
    const session = await made()
    const frames = framesOf((await open(session.id, '1')).body as ReadableStream<Uint8Array>)
    const first = frames.next()
    await pause(30)
    await place.holdfast.sessions.delete(session.id)
    let { value } = await first
    while (value?.event === undefined) value = (await frames.next()).value as typeof value
    expect([value?.event, value?.id]).toEqual(['error', undefined])
    expect(JSON.parse(value?.data ?? '').code).toBe('not_found')
    expect((await frames.next()).done).toBe(true)
    expect(place.server.followers).toBe(0)
  })

  it('tell their readers to come back when the server stops', async () => {
    const session = await made()
    const reading = take((await open(session.id, '1')).body, 9)
    await pause(30)
    place.server.drain()
    const frames = await reading
    expect(frames.map(({ event }) => event)).toEqual(['error'])
    expect(JSON.parse(frames[0]?.data ?? '')).toMatchObject({ code: 'server_draining', retry: 'later' })
    const late = await take((await open(session.id, '1')).body, 9)
    expect(late.map(({ event }) => event)).toEqual(['error'])
  })

  it('as a page wait for the next event, as long as the caller likes', async () => {
    const session = await made()
    const path = `/v1/sessions/${session.id}/events?after=1&wait=`
    const waiting = place.caller.get(`${path}30`)
    await pause(30)
    await session.append(user('x'))
    expect((await waiting).json.data.length).toBeGreaterThan(0)
    const nothing = await place.caller.get(`/v1/sessions/${session.id}/events?after=3&wait=1`)
    expect(nothing.json).toEqual({ data: [], next: null })
    const stopped = place.caller.get(`/v1/sessions/${session.id}/events?after=3&wait=30`)
    await pause(30)
    place.server.drain()
    expect((await stopped).json.data).toEqual([])
  })
})

/** Whole frames among the first bytes. */
async function cutOff(body: ReadableStream<Uint8Array> | null, bytes: number) {
  const reader = (body as ReadableStream<Uint8Array>).getReader()
  const chunks: Uint8Array[] = []
  let left = bytes
  while (left > 0) {
    const { value, done } = await reader.read()
    if (done || new TextDecoder().decode(value).startsWith(':')) break
    chunks.push(value.subarray(0, left))
    left -= value.byteLength
  }
  await reader.cancel()
  const frames = []
  for await (const frame of framesOf(new Blob(chunks as Uint8Array<ArrayBuffer>[]).stream()))
    frames.push(frame)
  return frames
}
