import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { memory } from '@holdfast/core/memory'
import { limits } from '@holdfast/protocol'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { serverLimits } from '../limits.ts'
import type { Answered } from '../operations/answered.ts'
import { HeldClock, pepper } from '../testing/each-server.ts'
import { take } from '../testing/sse.ts'
import { requestLog, type ServeOptions, type Serving, serve } from './index.ts'

const json = { 'content-type': 'application/json' }
const running: Serving[] = []

async function started(options: Partial<ServeOptions> = {}): Promise<Serving> {
  const serving = await serve({ store: memory(), port: 0, signals: [], ...options })
  running.push(serving)
  return serving
}

afterEach(async () => {
  for (const serving of running.splice(0)) await serving.close()
})

async function post(url: string, body: unknown): Promise<Record<string, string>> {
  const response = await fetch(url, { method: 'POST', headers: json, body: JSON.stringify(body) })
  return (await response.json()) as Record<string, string>
}

describe('a listening server', () => {
  it('takes no turn on where it cannot listen', async () => {
    const { url } = await started()
    const agents = () => {
      throw new Error('asked for too early')
    }
    const second = serve({ store: memory(), port: Number(new URL(url).port), signals: [], agents })
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it('answers, streams, and goes on from a cursor', async () => {
    const { url } = await started()
    const { id } = await post(`${url}/v1/sessions`, { agentId: 'agent' })
    const message = { role: 'user', parts: [{ type: 'text', text: 'hi' }] }
    await post(`${url}/v1/sessions/${id}/messages`, message)
    const headers = { accept: 'text/event-stream', 'last-event-id': '1' }
    const response = await fetch(`${url}/v1/sessions/${id}/events`, { headers })
    const frames = take(response.body, 3)
    await post(`${url}/v1/sessions/${id}/messages`, message)
    expect((await frames).map(({ id }) => id)).toEqual(['2', '3', '4'])
  })

  it('answers everything that was accepted before it ends, and tells followers to come back', async () => {
    const serving = await started()
    const { url, holdfast } = serving
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    const quiet = await holdfast.sessions.create({ agentId: 'agent' })
    const waiting = fetch(`${url}/v1/sessions/${quiet.id}/events?after=1&wait=30`)
    await pause(200)
    const path = `${url}/v1/sessions/${session.id}`
    const response = await fetch(`${path}/events`, {
      headers: { accept: 'text/event-stream', 'last-event-id': '1' },
    })
    const frames = take(response.body, 99)
    const message = { role: 'user', parts: [{ type: 'text', text: 'hi' }] }
    await post(`${path}/messages`, message)
    const writes = Promise.allSettled(Array.from({ length: 20 }, () => post(`${path}/messages`, message)))
    const ended = serving.close()
    for (const written of await writes) {
      if (written.status === 'fulfilled') expect(written.value).toMatchObject({ changed: true })
    }
    expect((await waiting).status).toBe(200)
    expect((await frames).at(-1)?.event).toBe('error')
    await ended
    await expect(fetch(url)).rejects.toThrow()
    await expect(session.view()).rejects.toMatchObject({ code: 'store_closed' })
  })

  it('ends on a signal', async () => {
    const { closed } = await started({ signals: ['SIGUSR2'] })
    process.kill(process.pid, 'SIGUSR2')
    await closed
  })

  it('listens elsewhere only with keys, and says what to do', async () => {
    const refused = serve({ store: memory(), host: '0.0.0.0', port: 0 })
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('openssl rand'),
    })
    const { url } = await started({ host: '0.0.0.0', pepper })
    expect((await fetch(`${url}/v1/sessions`)).status).toBe(401)
  })

  it('without keys is not reached by another name, as by a page that a browser was lured to', async () => {
    const { url } = await started()
    const { port } = new URL(url)
    expect(
      await rawStatus(
        Number(port),
        'GET /v1/sessions HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      ),
    ).toBe(403)
    expect(
      await rawStatus(
        Number(port),
        `GET /v1/sessions HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`,
      ),
    ).toBe(200)
  })

  it('without keys is not changed by a page elsewhere, whose browser does not ask before it sends', async () => {
    const { url } = await started()
    const port = Number(new URL(url).port)
    const scrub = (host: string, more: string) =>
      rawStatus(port, `POST /v1/scrub HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n${more}\r\n`)
    const evil = 'Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n'
    expect(await scrub('localhost', evil)).toBe(403)
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      const own = `Origin: http://${host}:${port}\r\nSec-Fetch-Site: same-origin\r\n`
      expect(await scrub(host, own)).toBe(200)
      expect(await scrub(host, '')).toBe(200)
    }
  })

  it('refuses headers larger than serverLimits.headerBytes', async () => {
    const { url } = await started()
    const response = await fetch(`${url}/healthz`, {
      headers: { 'x-long': 'a'.repeat(serverLimits.headerBytes) },
    })
    expect(response.status).toBe(431)
  })

  it.each([
    ['JSON', '/v1/sessions', json],
    ['lines', '/v1/imports', {}],
    ['lines under a key', '/v1/imports', { 'idempotency-key': 'k' }],
    ['a file', '/v1/sessions/{sessionId}/attachments', {}],
  ])('a client that leaves in the middle of %s is no failure of the server', async (_what, path, headers) => {
    const answers: Answered[] = []
    const lines: string[] = []
    const log = requestLog('error', { write: (line) => void lines.push(line) })
    const onAnswer = (answered: Answered) => {
      answers.push(answered)
      log(answered)
    }
    const { url, holdfast, server } = await started({ onAnswer })
    const { id } = await holdfast.sessions.create({ agentId: 'agent' })
    const head = [
      `POST ${path.replace('{sessionId}', id)} HTTP/1.1`,
      'Host: localhost',
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ]
    const port = Number(new URL(url).port)
    await leave(port, [...head, 'Content-Length: 1000', '', '{"format'])
    await leave(port, [...head, 'Transfer-Encoding: chunked', '', '8', '{"format', ''])
    while (answers.length < 2) await pause(5)
    const gone = { method: 'POST', path, status: 499 }
    expect(answers).toMatchObject([gone, gone])
    expect(lines).toEqual([])
    const figures = await server.fetch(new Request(`${url}/metrics`))
    expect(await figures.text()).toContain(`{method="POST",route="${path}",status="499",`)
    expect((await holdfast.sessions.list()).sessions).toHaveLength(1)
  })

  it('a client that leaves while its file waits for room is no failure of the server', async () => {
    const answers: Answered[] = []
    const { url, holdfast } = await started({ onAnswer: (answered) => answers.push(answered) })
    const { id } = await holdfast.sessions.create({ agentId: 'agent' })
    const port = Number(new URL(url).port)
    const head = [`POST /v1/sessions/${id}/attachments HTTP/1.1`, 'Host: localhost']
    const most = [...head, `Content-Length: ${limits.attachmentBytes}`, '', 'hi']
    const held = serverLimits.fileBytesHeld / limits.attachmentBytes
    const leaving = Array.from({ length: held + 1 }, () => leave(port, most))
    await Promise.all(leaving)
    while (answers.length <= held) await pause(5)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([499]))
  })

  it('answers HEAD to a stream with its head alone, and follows nothing for it', async () => {
    const said = vi.spyOn(console, 'error')
    const { url, holdfast, server } = await started()
    const { id } = await holdfast.sessions.create({ agentId: 'agent' })
    const headers = { accept: 'text/event-stream' }
    for (const path of [`sessions/${id}/events`, `sessions/${id}/events?children=true`, 'fleet/events']) {
      const response = await fetch(`${url}/v1/${path}`, { method: 'HEAD', headers })
      expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
        200,
        'text/event-stream; charset=utf-8',
        '',
      ])
      expect(server.followers).toBe(0)
    }
    expect((await fetch(`${url}/v1/sessions/none/events`, { method: 'HEAD', headers })).status).toBe(404)
    expect((await fetch(`${url}/v1/sessions/${id}/export`, { method: 'HEAD' })).status).toBe(200)
    await pause(20)
    expect(said).not.toHaveBeenCalled()
    said.mockRestore()
  })

  it('gives its port back when the store cannot be opened', async () => {
    const store = { open: () => Promise.reject(new Error('no disk')) }
    await expect(serve({ store, port: 0 })).rejects.toThrow('no disk')
  })

  it('holds no more for a reader who stands still', async () => {
    const serving = await started()
    const { holdfast, server } = serving
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    const socket = await standingStill(serving, session.id)
    const words = 'x'.repeat(100_000)
    const before = process.memoryUsage().arrayBuffers
    for (let n = 0; n < 300; n++)
      await session.append({ role: 'user', parts: [{ type: 'text', text: words }] })
    // 30 MB were written, which the store keeps as text: what is encoded for the reader and not taken lies in buffers.
    await pause(50)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000)
    socket.destroy()
    while (server.followers > 0) await pause(5)
  })

  it('ends the stream of a reader who stands still, and tells it where it stood', async () => {
    const clock = new HeldClock()
    const options = { heartbeatMs: 5, stallMs: 60_000, clock: clock.now }
    const serving = await started(options)
    const { holdfast, server } = serving
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    const socket = await standingStill(serving, session.id)
    const words = 'x'.repeat(100_000)
    for (let n = 0; n < 300; n++)
      await session.append({ role: 'user', parts: [{ type: 'text', text: words }] })
    clock.advance(59_999)
    await pause(50)
    expect(server.followers).toBe(1)
    clock.advance(1)
    while (server.followers > 0) await pause(5)
    const text = await rest(socket)
    const cursors = [...text.matchAll(/^id: (\d+)$/gm)].map(([, cursor]) => Number(cursor))
    const last = cursors.at(-1) ?? 0
    expect(last).toBeLessThan(300)
    expect(cursors).toEqual(Array.from({ length: last }, (_, n) => n + 1))
    const [, told = ''] = /\n\nevent: error\ndata: (.*)\n\n$/.exec(text) ?? []
    expect(JSON.parse(told)).toMatchObject({
      code: 'reader_stalled',
      retry: 'later',
      details: { cursor: String(last) },
    })
  })
})

/** Of a socket that reads on: all that lay ready, to the end. */
async function rest(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

/** A follower that takes nothing until it is read from. */
async function standingStill({ url, server }: Serving, sessionId: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.pause()
  socket.write(
    `GET /v1/sessions/${sessionId}/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`,
  )
  while (server.followers === 0) await pause(5)
  return socket
}

/** Sends the lines, and is gone. */
async function leave(port: number, lines: readonly string[]): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  await new Promise((resolve) => socket.write(lines.join('\r\n'), resolve))
  await pause(50)
  socket.destroy()
}

function rawStatus(port: number, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.once('data', (data) => resolve(Number(String(data).split(' ')[1])))
    socket.once('error', reject)
  })
}
