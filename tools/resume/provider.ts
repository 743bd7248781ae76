/**
 * The scripted provider as the programs meet it. A gate before it keeps every request, and takes out what the strict stub
 * knows nothing of: remarks of the system between messages, and thoughts that a real provider sealed.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type ProviderStub, type Script, startProviderStub } from '@holdfast/agent/testing'
import type { Json, JsonObject } from '@holdfast/protocol'

export interface Provider extends AsyncDisposable {
  /** Without `/v1`. */
  readonly origin: string
  /** Bodies as the programs sent them. */
  readonly requests: readonly JsonObject[]
  /** What the stub said to requests that break the provider's rules. */
  refusals(): string[]
}

const paths = ['/v1/messages', '/v1/responses', '/v1/chat/completions']

export async function startProvider(script: Script): Promise<Provider> {
  const stub = await startProviderStub({ script })
  const requests: JsonObject[] = []
  const server = createServer((request, response) => {
    pass(request, response, stub, requests).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    refusals: () => stub.exchanges.flatMap(({ refusal }) => refusal ?? []),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await stub.close()
    },
  }
}

async function pass(
  request: IncomingMessage,
  response: ServerResponse,
  stub: ProviderStub,
  requests: JsonObject[],
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://gate')
  const sent = await text(request)
  if (request.method !== 'POST' || !paths.includes(pathname)) {
    response.writeHead(404).end()
    return
  }
  const body = JSON.parse(sent) as JsonObject
  requests.push(body)
  const { host: _host, 'content-length': _length, ...headers } = request.headers
  const answer = await fetch(`${stub.baseUrl}${pathname.slice('/v1'.length)}`, {
    method: 'POST',
    headers: headers as Record<string, string>,
    body: JSON.stringify(plain(body)),
  })
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
  response.end(await answer.text())
}

function plain(body: JsonObject): JsonObject {
  const { messages, input } = body
  if (Array.isArray(messages))
    return { ...body, messages: messages.filter((message) => !isRemark(message)).map(withoutForeign) }
  return Array.isArray(input) ? { ...body, input: input.filter((item) => !isForeign(item)) } : body
}

/** In Anthropic's Messages the system speaks before the messages, but for what Claude Code adds between them. */
function isRemark(message: Json): boolean {
  const { role, content } = message as JsonObject
  return role === 'system' && Array.isArray(content)
}

function withoutForeign(message: Json): Json {
  const { content, ...rest } = message as JsonObject
  return Array.isArray(content)
    ? { ...rest, content: content.filter((block) => !isForeign(block)) }
    : { ...rest, content: content ?? null }
}

function isForeign(value: Json): boolean {
  const { type, signature, encrypted_content: encrypted } = value as JsonObject
  if (type === 'redacted_thinking') return true
  const seal = type === 'thinking' ? signature : type === 'reasoning' ? encrypted : undefined
  return typeof seal === 'string' && !seal.startsWith('scripted-')
}
