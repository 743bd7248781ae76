/** Sends requests to a server as a program would, and reads its answers. */
export interface Reply {
  status: number
  headers: Headers
  /** The body's text; its JSON, where it is some. */
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  json: any
}

export interface Sent {
  body?: unknown
  headers?: Record<string, string>
  /** A body that is sent as it is. */
  raw?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
}

export class Caller {
  readonly #send: (request: Request) => Response | Promise<Response>
  readonly #key: string | undefined

  constructor(send: (request: Request) => Response | Promise<Response>, key?: string) {
    this.#send = send
    this.#key = key
  }

  withKey(key: string): Caller {
    return new Caller(this.#send, key)
  }

  open(method: string, path: string, { body, headers = {}, raw }: Sent = {}): Promise<Response> {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.#key !== undefined && { authorization: `Bearer ${this.#key}` }),
        ...headers,
      },
      ...(sent !== undefined && { body: sent }),
      ...(sent instanceof ReadableStream && { duplex: 'half' }),
    })
    return Promise.resolve(this.#send(request))
  }

  async call(method: string, path: string, sent: Sent = {}): Promise<Reply> {
    const response = await this.open(method, path, sent)
    const text = await response.text()
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '')
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson && text !== '' ? JSON.parse(text) : undefined,
    }
  }

  get(path: string, sent?: Sent): Promise<Reply> {
    return this.call('GET', path, sent)
  }

  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    return this.call('POST', path, { ...(body !== undefined && { body }), headers })
  }
}
