import { HoldfastError, toProblem } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { createClient, type Fetch } from './index.ts'

const ok = { id: 's1' }

/** A client of answers that are told in order: an error code, a thrown failure, or a body. */
function clientOf(...answers: (HoldfastError | Error | object | string)[]) {
  const requests: Request[] = []
  const fetch: Fetch = (request) => {
    requests.push(request)
    const answer = answers.shift() ?? ok
    if (answer instanceof HoldfastError) return problemOf(answer)
    if (answer instanceof Error) throw answer
    return typeof answer === 'string' ? new Response(answer, { status: 502 }) : Response.json(answer)
  }
  const waits: number[] = []
  const sleep = async (ms: number): Promise<void> => void waits.push(ms)
  const client = createClient({ url: 'http://host/', key: 'hf_1', fetch, sleep, random: () => 1 })
  return { client, requests, waits }
}

function problemOf(error: HoldfastError): Response {
  const headers = { 'content-type': 'application/problem+json' }
  return new Response(JSON.stringify({ ...toProblem(error), requestId: 'r1' }), {
    status: error.status,
    headers,
  })
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
