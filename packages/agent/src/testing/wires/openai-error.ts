/** Errors as both interfaces of OpenAI tell them. */
import type { JsonObject } from '@holdfast/protocol'
import type { Refusal } from './wire.ts'

export function openAiRefusal(message: string, more: Partial<Refusal> = {}): Refusal {
  return { status: 400, type: 'invalid_request_error', message, ...more }
}

export function openAiErrorBody({ type, message, code, param }: Refusal): JsonObject {
  return { error: { message, type, param: param ?? null, code: code ?? null } }
}

export const openAiFaults = {
  rate_limit: (): Refusal => {
    const message = 'Rate limit reached for requests (scripted)'
    return { status: 429, type: 'requests', code: 'rate_limit_exceeded', message }
  },
  server_error: (): Refusal => {
    const message = 'The server had an error while processing your request (scripted)'
    return { status: 500, type: 'server_error', message }
  },
  overloaded: (): Refusal => {
    const message = 'The engine is currently overloaded, please try again later (scripted)'
    return { status: 503, type: 'server_error', code: 'overloaded', message }
  },
}

export function keyOfBearer(headers: Readonly<Record<string, unknown>>): string | undefined {
  const { authorization } = headers
  return typeof authorization === 'string' && authorization.startsWith('Bearer ')
    ? authorization.slice('Bearer '.length)
    : undefined
}
