/**
 * An answer, read. A URL may lead to something else that answers with 200: what has not the shape that is asked for is told as
 * that here, before anything is made of it.
 */
import { HoldfastError } from '@holdfast/protocol'

/** Whether an answer may be what was asked for. */
export type Shape = (answer: object) => boolean

export const anything: Shape = () => true
export const isPage: Shape = (answer) => {
  const { data, next } = answer as { data?: unknown; next?: unknown }
  return Array.isArray(data) && (next === null || typeof next === 'string')
}

/** With these members. */
export function having(...names: readonly string[]): Shape {
  return (answer) => names.every((name) => Object.hasOwn(answer, name))
}

export async function jsonOf<T>(response: Response, shape: Shape): Promise<T> {
  return parsed<T>(await textOf(response, 'json'), shape, response.url)
}

/** `type`: a part of its content type. */
export async function textOf(response: Response, type = ''): Promise<string> {
  requireType(response, type)
  try {
    return await response.text()
  } catch (cause) {
    throw unreachable(cause)
  }
}

/** All of a body. */
export async function bytesOf(response: Response): Promise<Uint8Array> {
  try {
    return new Uint8Array(await response.arrayBuffer())
  } catch (cause) {
    throw unreachable(cause)
  }
}

export function requireType({ headers, url }: Response, type: string): void {
  const given = headers.get('content-type') ?? ''
  if (!given.includes(type)) throw notHoldfast(url)
}

export function parsed<T>(text: string, shape: Shape, url: string): T {
  const answer = jsonOrNothing(text)
  if (typeof answer !== 'object' || answer === null || !shape(answer)) throw notHoldfast(url)
  return answer as T
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `server_failed`: asked again it would answer the same. */
function notHoldfast(url: string): HoldfastError {
  const place = URL.canParse(url) ? new URL(url).origin : 'what was asked'
  return new HoldfastError('server_failed', `${place} does not answer as a Holdfast server does.`)
}

export function unreachable(cause: unknown): HoldfastError {
  return new HoldfastError('server_unreachable', 'the server did not answer.', { cause })
}
