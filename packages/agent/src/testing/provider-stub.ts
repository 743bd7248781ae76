/**
 * Providers over real HTTP on loopback, scripted: OpenAI's Chat Completions and Responses and Anthropic's Messages. It
 * refuses every history that breaks the provider's rules, as the provider would, and it fails on demand. Everything it
 * says is marked as scripted: ids, headers, errors.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HoldfastError, isHoldfastError, type JsonObject } from '@holdfast/protocol'
import { type Answer, type AnswerTo, answerOf, tokensOf } from './answer.ts'
import { type Fault, isRefusing } from './faults.ts'
import { objectOf, textOf } from './json-shapes.ts'
import { replyTo, type Script, type ScriptedReply } from './script.ts'
import { Sending } from './sending.ts'
import { anthropicWire } from './wires/anthropic/index.ts'
import { chatWire } from './wires/openai-chat/index.ts'
import { responsesWire } from './wires/openai-responses/index.ts'
import type { Refusal, Wire } from './wires/wire.ts'

export interface ProviderStubOptions {
  script: Script
  /** Milliseconds; when answers say that they were made. Default: one and the same time. */
  clock?: () => number
  /** A longer conversation is refused as too long. Default: none is. */
  maxPromptTokens?: number
  /** Code points in one piece of a stream; default 16. */
  pieceSize?: number
  /** Waited for before each event of a stream. Default: nothing. */
  pause?: () => Promise<void>
}

/** A request, and what became of it. */
export interface StubExchange {
  wire: Wire['name']
  body: JsonObject
  /** What the provider said to a history that it does not take. */
  refusal?: string
  /** The fault that was played. */
  fault?: Fault['type']
}

export interface ProviderStub extends AsyncDisposable {
  /** What the provider packages take as `baseURL`: `http://127.0.0.1:<port>/v1`. */
  readonly baseUrl: string
  /** In the order of arrival, refused ones too. */
  readonly exchanges: readonly StubExchange[]
  /**
   * Loses every stored response, so that a `previous_response_id` is unknown. `inStream`: who asks for a stream is told so
   * by an error in it, and not by the status of the answer.
   */
  forgetResponses(options?: { inStream?: boolean }): void
  close(): Promise<void>
}

const heldTimeMs = 1_790_000_000_000

export async function startProviderStub(options: ProviderStubOptions): Promise<ProviderStub> {
  const stub = new Stub(options)
  await stub.listen()
  return stub
}

class Stub implements ProviderStub {
  readonly exchanges: StubExchange[] = []
  readonly #options: ProviderStubOptions
  readonly #wires: readonly Wire[] = [anthropicWire(), chatWire(), responsesWire()]
  readonly #server: Server
  #asked = 0
  #isToldInStream = false

  constructor(options: ProviderStubOptions) {
    this.#options = options
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error))
    })
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', resolve)
    })
  }

  forgetResponses({ inStream = false }: { inStream?: boolean } = {}): void {
    this.#isToldInStream = inStream
    for (const wire of this.#wires) wire.forget()
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const wire = this.#wires.find(({ path }) => request.method === 'POST' && request.url === path)
    const sending = new Sending(response, this.#options.pause)
    if (!wire) return sending.json(404, { error: { message: `no such path: ${request.url} (scripted)` } })
    const body = parsed(await textOfRequest(request))
    if (!body) return sending.json(400, wire.errorBody(notJson))
    const exchange: StubExchange = { wire: wire.name, body }
    this.exchanges.push(exchange)
    const refusal = this.#refusal(wire, request, body)
    if (refusal) {
      exchange.refusal = refusal.message
      return this.#refuse(wire, body, refusal, sending)
    }
    const index = this.#asked
    this.#asked += 1
    const reply = await this.#reply(wire, body, index)
    if (reply instanceof HoldfastError) {
      exchange.refusal = reply.message
      return sending.json(400, wire.errorBody({ status: 400, type: 'script_over', message: reply.message }))
    }
    if (reply.fault) exchange.fault = reply.fault.type
    await this.#play(wire, body, reply, index, sending)
  }

  #refusal(wire: Wire, request: IncomingMessage, body: JsonObject): Refusal | undefined {
    if (!wire.keyOf(request.headers))
      return { status: 401, type: 'authentication_error', message: 'invalid or missing key (scripted)' }
    return wire.refusal(body) ?? this.#tooLong(wire, body)
  }

  /** What is found out after a stream began is told in it. */
  #refuse(wire: Wire, body: JsonObject, refusal: Refusal, sending: Sending): Promise<void> {
    const isInStream = this.#isToldInStream && refusal.code === 'previous_response_not_found'
    if (!isInStream || body.stream !== true) return sending.json(refusal.status, wire.errorBody(refusal))
    const nothing = answerOf({}, this.#to(wire, body, 'scripted_refused'))
    const begun = wire.stream(nothing, body, 1).slice(0, -1)
    return sending.events([...begun, wire.errorEvent(refusal)])
  }

  #tooLong(wire: Wire, body: JsonObject): Refusal | undefined {
    const { maxPromptTokens } = this.#options
    if (maxPromptTokens === undefined) return undefined
    const tokens = tokensOf(wire.conversation(body))
    return tokens > maxPromptTokens ? wire.refusalFor({ type: 'context_length' }, tokens) : undefined
  }

  /** A script that is over is told to the caller as the provider's refusal. */
  async #reply(wire: Wire, body: JsonObject, index: number): Promise<ScriptedReply | HoldfastError> {
    try {
      return await replyTo(this.#options.script, { index, ...wire.asked(body) })
    } catch (error) {
      if (isHoldfastError(error, 'invalid_input')) return error
      throw error
    }
  }

  async #play(
    wire: Wire,
    body: JsonObject,
    reply: ScriptedReply,
    index: number,
    sending: Sending,
  ): Promise<void> {
    const { fault } = reply
    if (fault && isRefusing(fault)) {
      const refusal = wire.refusalFor(fault, tokensOf(wire.conversation(body)))
      return sending.json(refusal.status, wire.errorBody(refusal), retryAfter(fault))
    }
    const answer = answerOf(reply, this.#to(wire, body, `scripted_${index + 1}`))
    const isWhole = body.stream !== true
    const end = endOf(fault)
    if (fault?.type === 'stream_error') await this.#breakOff(wire, body, answer, isWhole, sending)
    else if (isWhole) await sending.json(200, wire.whole(answer, body), {}, end)
    else await sending.events(wire.stream(answer, body, this.#options.pieceSize ?? 16), end)
    if (end === undefined && fault?.type !== 'stream_error') wire.keep(answer, body)
  }

  #to(wire: Wire, body: JsonObject, id: string): AnswerTo {
    const createdAt = Math.floor((this.#options.clock?.() ?? heldTimeMs) / 1_000)
    return { id, model: textOf(body.model), createdAt, conversation: () => wire.conversation(body) }
  }

  /** Half of a stream and an error; a whole answer has no half. */
  #breakOff(wire: Wire, body: JsonObject, answer: Answer, isWhole: boolean, sending: Sending): Promise<void> {
    const refusal = wire.refusalFor({ type: 'overloaded' }, 0)
    if (isWhole) return sending.json(refusal.status, wire.errorBody(refusal))
    const events = wire.stream(answer, body, this.#options.pieceSize ?? 16)
    return sending.events([...events.slice(0, events.length / 2), wire.errorEvent(refusal)])
  }
}

function retryAfter(fault: Fault): Record<string, string> {
  const isTold = fault.type === 'rate_limit' && fault.retryAfterSecs !== undefined
  return isTold ? { 'retry-after': String(fault.retryAfterSecs) } : {}
}

function endOf(fault: Fault | undefined): { type: 'cut' | 'hang'; afterBytes: number } | undefined {
  return fault?.type === 'cut' || fault?.type === 'hang' ? fault : undefined
}

const notJson: Refusal = {
  ...{ status: 400, type: 'invalid_request_error' },
  message: 'We could not parse the JSON body of your request. (scripted)',
}

function parsed(text: string): JsonObject | undefined {
  try {
    return objectOf(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

async function textOfRequest(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
