/** The body of a request: of the type that is taken, bounded before it is read, and valid UTF-8 where it is text. */
import { checkLimit, HoldfastError, type Json, limits, scanText } from '@holdfast/protocol'
import { checkServerLimit, serverLimits } from '../limits.ts'
import { chunksOf, unread } from './gone.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** JSON, checked and parsed; undefined when there is no body. */
export async function readJson(request: Request): Promise<Json | undefined> {
  const bytes = await readBytes(request, serverLimits.requestBytes, (size) =>
    checkServerLimit('requestBytes', size, 'body'),
  )
  if (bytes.byteLength === 0) return undefined
  requirePlain(request.headers)
  requireJson(request.headers.get('content-type'))
  return scanText(decode(bytes), 'commitBytes', 'body')
}

/** How many bytes its file may have: those that its headers say, else as many as any. */
export function fileBytes({ headers }: Request): number {
  const declared = headers.get('content-length') ?? ''
  if (!/^\d+$/.test(declared)) return limits.attachmentBytes
  checkLimit('attachmentBytes', Number(declared), 'body')
  return Number(declared)
}

/** A file as it is, measured while it comes. */
export async function readFile(request: Request, most: number): Promise<Uint8Array> {
  requirePlain(request.headers)
  return readStream(request, most, (size) => {
    checkLimit('attachmentBytes', size, 'body')
    throw new HoldfastError('invalid_input', `body: more than the ${most} bytes of its Content-Length.`)
  })
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new HoldfastError('invalid_input', 'body: not UTF-8.', { cause })
  }
}

/** What is compressed on its way would be kept as something else than was sent. */
export function requirePlain(headers: Headers): void {
  const encoding = headers.get('content-encoding') ?? 'identity'
  if (encoding.trim().toLowerCase() === 'identity') return
  throw new HoldfastError(
    'unsupported_media_type',
    `send the body as it is, not as \`Content-Encoding: ${encoding}\`.`,
  )
}

function requireJson(type: string | null): void {
  if (type !== null && /^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(type)) return
  throw new HoldfastError('unsupported_media_type', 'send the body as `Content-Type: application/json`.')
}

async function readBytes(request: Request, most: number, check: (size: number) => void): Promise<Uint8Array> {
  const declared = request.headers.get('content-length')
  if (declared === null) return readStream(request, most, check)
  check(Number(declared))
  const bytes = await readWhole(request)
  check(bytes.byteLength)
  return bytes
}

async function readWhole(request: Request): Promise<Uint8Array> {
  try {
    return new Uint8Array(await request.arrayBuffer())
  } catch (error) {
    throw unread(error, request)
  }
}

/** No more is kept of it than may be, whatever its length was said to be. */
async function readStream(
  request: Request,
  most: number,
  check: (size: number) => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunksOf(request)) {
    size += chunk.byteLength
    if (size > most) check(size)
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}
