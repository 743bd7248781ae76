/** Files over HTTP: asked for in every way, many at once, broken off in the middle. */
import { createHash } from 'node:crypto'
import { get, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@holdfast/client'
import { openHoldfast, type Store, type StoreFactory } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { limits } from '@holdfast/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { createServer, type HoldfastServer } from './handler.ts'
import { serverLimits } from './limits.ts'
import { type Serving, serve } from './node/index.ts'
import type { Answered } from './operations/answered.ts'
import { FileStream } from './streams/file-stream.ts'
import { Caller } from './testing/caller.ts'
import { eachServer } from './testing/each-server.ts'
import { FailingStore } from './testing/failing-store.ts'

const kibibyte = 1024
const pieceBytes = 512 * kibibyte

/** Bytes of which no piece is like another. */
function bytesOf(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  for (let index = 0; index < size; index++) bytes[index] = (index * 31) % 251
  return bytes
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function attachmentsOf(caller: Caller): Promise<string> {
  const { json } = await caller.post('/v1/sessions', { agentId: 'agent' })
  return `/v1/sessions/${json.id}/attachments`
}

async function kept(caller: Caller, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const path = await attachmentsOf(caller)
  const { json } = await caller.call('POST', path, { raw: bytes })
  expect(json).toMatchObject({ hash: hashOf(bytes), bytes: bytes.byteLength })
  return `${path}/${json.hash}`
}

async function opened(
  { server }: { server: HoldfastServer },
  path: string,
): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const { body } = await server.fetch(new Request(`http://localhost${path}`))
  return (body as ReadableStream<Uint8Array>).getReader()
}

eachServer('a file', {}, (place) => {
  it('is its bytes, under the hash as its tag, and nothing where the caller has them', async () => {
    const bytes = bytesOf(2 * pieceBytes + 7)
    const path = await kept(place.caller, bytes)
    const etag = `"${hashOf(bytes)}"`
    const response = await place.caller.open('GET', path)
    expect(hashOf(new Uint8Array(await response.arrayBuffer()))).toBe(hashOf(bytes))
    const { headers } = response
    expect(headers.get('etag')).toBe(etag)
    expect(headers.get('content-length')).toBe(String(bytes.byteLength))
    expect(headers.get('accept-ranges')).toBe('bytes')
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const known = await place.caller.get(path, { headers: { 'if-none-match': tag } })
      expect([known.status, known.text, known.headers.get('etag')]).toEqual([304, '', etag])
    }
    const changed = await place.caller.get(path, { headers: { 'if-none-match': '"other"' } })
    expect(changed.status).toBe(200)
  })

  it('is asked about without its bytes', async () => {
    const bytes = bytesOf(pieceBytes + 1)
    const path = await kept(place.caller, bytes)
    const head = await place.caller.call('HEAD', path, { headers: { range: 'bytes=0-0' } })
    expect([head.status, head.text]).toEqual([200, ''])
    expect(head.headers.get('content-length')).toBe(String(bytes.byteLength))
    expect(head.headers.get('etag')).toBe(`"${hashOf(bytes)}"`)
    expect((await place.caller.call('HEAD', `${path}0`)).status).toBe(404)
  })

  it('is any range of it, and told of by its size where there is none', async () => {
    const bytes = bytesOf(2 * pieceBytes)
    const path = await kept(place.caller, bytes)
    const range = (text: string) => place.caller.open('GET', path, { headers: { range: text } })
    const parts = [
      [`bytes=${pieceBytes - 2}-${pieceBytes + 1}`, pieceBytes - 2, pieceBytes + 2],
      ['bytes=0-', 0, bytes.byteLength],
      ['bytes=-5', bytes.byteLength - 5, bytes.byteLength],
    ] as const
    for (const [asked, from, to] of parts) {
      const response = await range(asked)
      expect(response.status, asked).toBe(206)
      expect(response.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/${bytes.byteLength}`)
      expect(response.headers.get('content-length')).toBe(String(to - from))
      expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes.slice(from, to))
    }
    expect((await range('bytes=0-1,3-4')).status).toBe(200)
    const past = await range(`bytes=${bytes.byteLength}-`)
    expect(past.status).toBe(416)
    expect(past.headers.get('content-range')).toBe(`bytes */${bytes.byteLength}`)
    expect(await past.json()).toMatchObject({
      code: 'range_not_satisfiable',
      details: { size: bytes.byteLength },
    })
  })

  it('that is empty is empty', async () => {
    const path = await kept(place.caller, new Uint8Array())
    const { status, text, headers } = await place.caller.get(path)
    expect([status, text, headers.get('content-length')]).toEqual([200, '', '0'])
  })

  it('breaks off when it is erased while it is read', async () => {
    const path = await kept(place.caller, bytesOf(5 * pieceBytes))
    const reader = await opened(place, path)
    await reader.read()
    const session = path.split('/attachments')[0] as string
    const events = (await place.caller.get(`${session}/events`)).json.data
    const seqs = [events.find(({ type }: { type: string }) => type === 'note.added').seq]
    expect((await place.caller.post(`${session}/erase`, { seqs })).status).toBe(200)
    await expect(reader.read()).rejects.toThrow('broke off')
  })
})

eachServer('many files at once', { fileWaitMs: 60_000 }, (place) => {
  it('are all taken in, and no more of them held than serverLimits.fileBytesHeld', async () => {
    const path = await attachmentsOf(place.caller)
    const chunk = new Uint8Array(1024 * kibibyte)
    const chunks = limits.attachmentBytes / chunk.byteLength
    let [held, most] = [0, 0]
    const stop = place.holdfast.onCommit(({ commits }) => {
      for (const { events } of commits) held -= events * limits.attachmentBytes
    })
    const upload = async (nth: number): Promise<string> => {
      let left = chunks
      const pull = (body: ReadableStreamDefaultController<Uint8Array>): void => {
        held += chunk.byteLength
        most = Math.max(most, held)
        body.enqueue(left === chunks ? chunk.map(() => nth) : chunk)
        if (--left === 0) body.close()
      }
      const raw = new ReadableStream({ pull }, { highWaterMark: 0 })
      const { status, json } = await place.caller.call('POST', path, { raw })
      expect(status).toBe(201)
      return json.hash
    }
    const numbers = Array.from({ length: 9 }, (_, nth) => nth)
    const hashes = await Promise.all(numbers.map(upload))
    stop()
    expect(most).toBeLessThanOrEqual(serverLimits.fileBytesHeld)
    expect(most).toBeGreaterThan(limits.attachmentBytes)
    const expected = numbers.map((nth) =>
      hashOf(Buffer.concat([chunk.map(() => nth), ...Array(chunks - 1).fill(chunk)])),
    )
    expect(hashes).toEqual(expected)
  })

  it('leave their room however they end', async () => {
    const path = await attachmentsOf(place.caller)
    const slow = (to = path, headers = {}) => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
      return { sent: place.caller.call('POST', to, { raw: readable, headers }), body: writable.getWriter() }
    }
    const ends = [
      // It is too large; its sender goes; it is empty and well.
      (one: ReturnType<typeof slow>) => one.body.write(new Uint8Array(limits.attachmentBytes + 1)),
      (one: ReturnType<typeof slow>) => one.body.abort(new Error('gone')),
      (one: ReturnType<typeof slow>) => one.body.close(),
    ]
    for (const end of ends) {
      const all = Array.from({ length: serverLimits.fileBytesHeld / limits.attachmentBytes }, () => slow())
      const next = place.caller.call('POST', path, { raw: 'next' })
      expect(await Promise.race([next.then(() => 'taken'), pause(30, 'waits')])).toBe('waits')
      await end(all[0] as ReturnType<typeof slow>).catch(() => 'refused')
      expect((await next).status).toBe(201)
      for (const { body } of all.slice(1)) await body.close()
      await Promise.all(all.map(({ sent }) => sent))
    }
  })
})

/** A store that counts the pieces that it gave. */
class CountingStore implements StoreFactory {
  pieces = 0
  readonly #factory = memory()

  readonly open: StoreFactory['open'] = async (options) => {
    const store = await this.#factory.open(options)
    const readAttachmentPiece: Store['readAttachmentPiece'] = (...call) => {
      if (call[3].length > 0) this.pieces += 1
      return store.readAttachmentPiece(...call)
    }
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'readAttachmentPiece') return readAttachmentPiece
        const own = Reflect.get(target, name)
        return typeof own === 'function' ? own.bind(target) : own
      },
    })
  }
}

describe('many readers of a file', () => {
  it('who stand still hold one piece each, and all get the whole once they go on', async () => {
    const store = new CountingStore()
    const holdfast = await openHoldfast({ store })
    const server = createServer({ holdfast })
    const caller = new Caller((request) => server.fetch(request))
    const bytes = bytesOf(8 * pieceBytes)
    const path = await kept(caller, bytes)
    const readers = await Promise.all(Array.from({ length: 50 }, () => opened({ server }, path)))
    await pause(20)
    expect(store.pieces).toBe(readers.length)
    const hashes = readers.map(async (reader) => {
      const digest = createHash('sha256')
      for (let next = await reader.read(); !next.done; next = await reader.read()) digest.update(next.value)
      return digest.digest('hex')
    })
    expect(new Set(await Promise.all(hashes))).toEqual(new Set([hashOf(bytes)]))
    expect(store.pieces).toBe(8 * readers.length)
    await holdfast.close()
  })

  it('who ask about it alone have none of it read', async () => {
    const store = new CountingStore()
    const holdfast = await openHoldfast({ store })
    const server = createServer({ holdfast })
    const caller = new Caller((request) => server.fetch(request))
    const path = await kept(caller, bytesOf(2 * pieceBytes))
    await caller.call('HEAD', path)
    await caller.get(path, { headers: { 'if-none-match': '*' } })
    expect(store.pieces).toBe(0)
    await holdfast.close()
  })

  it('are told by a broken connection that the rest cannot be had', async () => {
    const said: unknown[] = []
    const damaged = new Error('damaged')
    const pieces = async function* (): AsyncGenerator<Uint8Array, void, void> {
      yield new Uint8Array(1)
      throw damaged
    }
    const stream = await FileStream.begin(pieces(), (error) => said.push(error))
    const tell = (what: string) => (): undefined => void said.push(what)
    await stream.sendTo({
      write: tell('piece'),
      release: () => {},
      end: tell('end'),
      breakOff: tell('broken'),
    })
    expect(said).toEqual(['piece', damaged, 'broken'])
  })

  it('are sent the next piece when the last one was taken, and none once they left', async () => {
    let made = 0
    const pieces = async function* (): AsyncGenerator<Uint8Array, void, void> {
      for (; made < 9; made++) yield new Uint8Array(1)
    }
    const stream = await FileStream.begin(pieces(), () => {})
    let [written, ended] = [0, false]
    let taken = Promise.withResolvers<void>()
    const write = (): Promise<void> => {
      written += 1
      taken = Promise.withResolvers()
      return taken.promise
    }
    const end = () => {
      ended = true
    }
    const sending = stream.sendTo({ write, release: () => {}, end, breakOff: end })
    for (const count of [1, 2, 3]) {
      await pause(1)
      expect([written, made]).toEqual([count, count - 1])
      if (count === 3) stream.leave()
      taken.resolve()
    }
    await sending
    expect([written, ended]).toEqual([3, false])
  })
})

describe('over a connection', () => {
  const serving: Serving[] = []
  afterEach(async () => {
    for (const one of serving.splice(0)) await one.close()
  })

  async function listening(store: StoreFactory, answers: Answered[] = []) {
    const one = await serve({ store, port: 0, signals: [], onAnswer: (answered) => answers.push(answered) })
    serving.push(one)
    return {
      ...one,
      caller: new Caller((request) => fetch(request.url.replace('http://localhost', one.url), request)),
    }
  }

  it('a file comes whole, and again from where it broke off', async () => {
    const { caller } = await listening(memory())
    const bytes = bytesOf(9 * pieceBytes + 1)
    const path = await kept(caller, bytes)
    const response = await caller.open('GET', path)
    expect(response.headers.get('content-length')).toBe(String(bytes.byteLength))
    expect(hashOf(new Uint8Array(await response.arrayBuffer()))).toBe(hashOf(bytes))
    const rest = await caller.open('GET', path, { headers: { range: 'bytes=700000-' } })
    expect(new Uint8Array(await rest.arrayBuffer())).toEqual(bytes.slice(700_000))
    expect((await caller.call('HEAD', path)).headers.get('content-length')).toBe(String(bytes.byteLength))
  })

  it.each([
    ['of many pieces breaks off before its end', 9],
    ['of one piece is refused', 1],
  ])('a damaged file %s, and the log hears of it', async (_, count) => {
    const store = new FailingStore(memory())
    const answers: Answered[] = []
    const { caller } = await listening(store, answers)
    const path = await kept(caller, bytesOf(count * pieceBytes))
    const size = count * pieceBytes
    store.fail({ readAttachmentPiece: () => ({ bytes: new Uint8Array(pieceBytes), size }) })
    answers.length = 0
    const response = await caller.open('GET', path)
    if (count === 1) expect(await response.json()).toMatchObject({ code: 'store_corrupt' })
    else await expect(response.arrayBuffer()).rejects.toThrow('terminated')
    const told = answers.map(({ status, error }) => [status, error?.code])
    expect(told).toEqual(
      count === 1
        ? [[500, 'store_corrupt']]
        : [
            [200, undefined],
            [200, 'store_corrupt'],
          ],
    )
  })

  it('a client sends bytes, a blob or a stream, and reads a file at once or as it comes', async () => {
    const { url } = await listening(memory())
    const { sessions } = createClient({ url })
    const { id } = await sessions.create({ agentId: 'agent' })
    const bytes = bytesOf(3 * pieceBytes + 1)
    const blob = new Blob([bytes])
    for (const one of [bytes, blob, blob.stream()]) {
      const { hash } = await sessions.putAttachment(id, { bytes: one, mediaType: 'image/png' })
      expect(hash).toBe(hashOf(bytes))
    }
    const whole = await sessions.getAttachment(id, hashOf(bytes))
    expect(hashOf(whole)).toBe(hashOf(bytes))
    const rest = await sessions.readAttachment(id, hashOf(bytes), { offset: 700_000 })
    expect(new Uint8Array(await new Response(rest).arrayBuffer())).toEqual(bytes.slice(700_000))
    const past = sessions.readAttachment(id, hashOf(bytes), { offset: bytes.byteLength })
    await expect(past).rejects.toMatchObject({ code: 'range_not_satisfiable' })
  })

  it('a sender that goes away in the middle leaves its room to the next', async () => {
    const { caller, url } = await listening(memory())
    const path = await attachmentsOf(caller)
    const headers = { 'content-length': limits.attachmentBytes }
    const senders = Array.from({ length: serverLimits.fileBytesHeld / limits.attachmentBytes }, () => {
      const sender = request(`${url}${path}`, { method: 'POST', headers })
      sender.on('error', () => {})
      sender.write(new Uint8Array(kibibyte))
      return sender
    })
    await pause(50)
    const next = caller.call('POST', path, { raw: 'next' })
    expect(await Promise.race([next.then(() => 'taken'), pause(50, 'waits')])).toBe('waits')
    senders[0]?.destroy()
    expect((await next).status).toBe(201)
    for (const sender of senders) sender.destroy()
  })

  it('whose reader went away is not told of as broken', async () => {
    const answers: Answered[] = []
    const { caller, url } = await listening(memory(), answers)
    const path = await kept(caller, bytesOf(30 * pieceBytes))
    answers.length = 0
    const { promise: left, resolve: leave } = Promise.withResolvers<void>()
    get(`${url}${path}`, (response) => {
      response.once('data', () => response.destroy()).once('close', leave)
    })
    await left
    await pause(50)
    expect(answers.map(({ status, error }) => [status, error])).toEqual([[200, undefined]])
  })
})
