import { setImmediate as nextTurn } from 'node:timers/promises'
import { HoldfastError, toProblem } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { createClient, type Fetch, HoldfastClient } from './index.ts'

const ok = { id: 's1' }

/** A client of answers that are told in order: an error code, a thrown failure, or a body. */
function clientOf(...answers: (HoldfastError | Error | Response | object | string)[]) {
  const requests: Request[] = []
  const fetch: Fetch = (request) => {
    requests.push(request)
    const answer = answers.shift() ?? ok
    if (answer instanceof HoldfastError) return problemOf(answer)
    if (answer instanceof Error) throw answer
    if (answer instanceof Response) return answer
    return typeof answer === 'string' ? new Response(answer, { status: 502 }) : Response.json(answer)
  }
  const waits: number[] = []
  const sleep = async (ms: number): Promise<void> => void waits.push(ms)
  const client = createClient({ url: 'http://host/', key: 'hf_1', fetch, sleep, random: () => 1 })
  return { client, requests, waits }
}

function problemOf(error: HoldfastError, more: Record<string, string> = {}): Response {
  const headers = { 'content-type': 'application/problem+json', ...more }
  return new Response(JSON.stringify({ ...toProblem(error), requestId: 'r1' }), {
    status: error.status,
    headers,
  })
}

function limitedFor(retryAfterSecs: number): HoldfastError {
  return new HoldfastError('rate_limited', 'slower', { details: { retryAfterSecs } })
}

/** In place of the test runner, until it is asked what came. */
function takeUncaught(): () => Promise<unknown[]> {
  const others = process.listeners('unhandledRejection')
  const reasons: unknown[] = []
  const take = (reason: unknown) => reasons.push(reason)
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', take)
  return async () => {
    await nextTurn()
    process.off('unhandledRejection', take)
    for (const other of others) process.on('unhandledRejection', other)
    return reasons
  }
}

const busy = new HoldfastError('store_busy', 'locked')

describe('a request', () => {
  it('that met a passing failure is sent again under the same idempotency key', async () => {
    const { client, requests, waits } = clientOf(new TypeError('fetch failed'), busy, 'bad gateway')
    expect(await client.sessions.create({ agentId: 'a' })).toEqual(ok)
    const keys = requests.map(({ headers }) => headers.get('idempotency-key'))
    expect([keys.length, new Set(keys).size]).toEqual([4, 1])
    expect(await Promise.all(requests.map((request) => request.text()))).toEqual(
      Array(4).fill('{"agentId":"a"}'),
    )
    expect(waits).toEqual([100, 200, 400])
  })

  it('is given up after its tries, with the error as the server typed it', async () => {
    const { client, requests } = clientOf(busy, busy, busy, busy, busy, busy)
    await expect(client.sessions.get('s1')).rejects.toMatchObject({
      code: 'store_busy',
      details: { requestId: 'r1' },
    })
    expect(requests).toHaveLength(5)
    const dead = clientOf(...Array(5).fill(new TypeError('fetch failed')))
    await expect(dead.client.sessions.get('s1')).rejects.toMatchObject({ code: 'server_unreachable' })
  })

  it('is not sent again where that would change nothing, or only later', async () => {
    for (const code of ['not_found', 'version_conflict', 'run_live', 'server_failed'] as const) {
      const { client, requests } = clientOf(new HoldfastError(code, 'no'))
      await expect(client.sessions.undo('s1')).rejects.toMatchObject({ code })
      expect(requests).toHaveLength(1)
    }
  })

  it('waits as long as the server says, and no shorter than it would by itself', async () => {
    const later = (secs: string) => problemOf(busy, { 'retry-after': secs })
    const { client, waits } = clientOf(later('2'), later('0'), later('tomorrow'), limitedFor(7))
    expect(await client.sessions.get('s1')).toEqual(ok)
    expect(waits).toEqual([2_000, 200, 400, 7_000])
  })

  it('that may come again only after more than a minute is given up at once, and its caller told when', async () => {
    const { client, waits } = clientOf(limitedFor(60), limitedFor(61))
    await expect(client.sessions.get('s1')).rejects.toMatchObject({
      code: 'rate_limited',
      details: { retryAfterSecs: 61 },
    })
    expect(waits).toEqual([60_000])
  })

  it('of a follower comes again as late as the server says', async () => {
    const { client, waits } = clientOf(limitedFor(3), new HoldfastError('not_found', 'gone'))
    await expect(client.sessions.follow('s1').next()).rejects.toMatchObject({ code: 'not_found' })
    expect(waits).toEqual([3_000])
  })

  it('of a turn that is refused is heard by who asks, and by nobody else', async () => {
    const refused = new HoldfastError('no_agent', 'nobody')
    const uncaught = takeUncaught()
    const { client } = clientOf(refused, refused, refused, refused)
    const turns = [1, 2, 3, 4].map(() => client.sessions.turn('s1', 'hello'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await uncaught()).toEqual([])
    await expect(turns[0]?.accepted()).rejects.toMatchObject({ code: 'no_agent' })
    await expect(turns[1]?.result).rejects.toMatchObject({ code: 'no_agent' })
    await expect(turns[2]?.[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'no_agent' })
  })

  it('with a file is sent again, but for one that comes as a stream, which is read once', async () => {
    const busyWithFiles = new HoldfastError('server_busy', 'no room')
    for (const [bytes, count] of [
      [new Uint8Array([1, 2]), 2],
      [new Blob([new Uint8Array([1, 2])]), 2],
      [new Blob([new Uint8Array([1, 2])]).stream(), 1],
    ] as const) {
      const { client, requests } = clientOf(busyWithFiles)
      const sending = client.sessions.putAttachment('s', { bytes, mediaType: 'image/png' })
      if (count === 1) await expect(sending).rejects.toMatchObject({ code: 'server_busy' })
      else expect(await sending).toEqual(ok)
      expect(requests.map(({ headers }) => headers.get('content-type'))).toEqual(
        Array(count).fill('image/png'),
      )
      expect(await requests.at(-1)?.bytes()).toEqual(new Uint8Array([1, 2]))
    }
  })

  it('keeps a code that this version does not know', async () => {
    const strange = { ...toProblem(busy), code: 'moon_full', status: 409 }
    const fetch: Fetch = () =>
      new Response(JSON.stringify(strange), {
        status: 409,
        headers: { 'content-type': 'application/problem+json' },
      })
    const client = createClient({ url: 'http://host', fetch })
    await expect(client.health()).rejects.toMatchObject({
      code: 'server_failed',
      details: { code: 'moon_full' },
    })
  })

  it('has its ids escaped, its key in a header, and its version as an ETag', async () => {
    const { client, requests } = clientOf()
    await client.agents.put('a/b c', { name: 'n' }, { expectedVersion: 3, key: 'k' })
    const [request] = requests
    expect(request?.url).toBe('http://host/v1/agents/a%2Fb%20c')
    expect(request?.headers.get('authorization')).toBe('Bearer hf_1')
    expect(request?.headers.get('if-match')).toBe('"3"')
    expect(request?.headers.get('idempotency-key')).toBe('k')
  })

  it('ends with the reason of its caller', async () => {
    const stop = new AbortController()
    stop.abort(new Error('enough'))
    const client = createClient({ url: 'http://host', fetch: (request) => fetch(request) })
    await expect(client.sessions.get('s1', { signal: stop.signal })).rejects.toThrow('enough')
  })
})

it.each(['localhost:4780', '127.0.0.1:4780', 'host', '', 'ftp://host', 'http:/', 'http://'])(
  'a client of `%s` is refused at once, and told what a url is',
  (url) => {
    expect(() => createClient({ url })).toThrow(
      expect.objectContaining({
        code: 'invalid_input',
        message: expect.stringContaining('http:// or https://'),
      }),
    )
  },
)

it.each(['http://localhost:4780', 'https://a.example/below/', 'HTTP://host', 'http://[::1]:1'])(
  'a client of `%s` is made',
  (url) => {
    expect(createClient({ url })).toBeInstanceOf(HoldfastClient)
  },
)

it('every item of a list comes, page after page', async () => {
  const { client, requests } = clientOf({ data: [1, 2], next: 'x' }, { data: [3], next: null })
  const items = []
  for await (const item of client.sessions.all({ status: ['idle', 'running'] })) items.push(item)
  expect(items).toEqual([1, 2, 3])
  expect(requests.map(({ url }) => new URL(url).search)).toEqual([
    '?status=idle%2Crunning',
    '?status=idle%2Crunning&after=x',
  ])
})
