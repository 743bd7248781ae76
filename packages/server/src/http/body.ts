/** The body of a request: of the type that is taken, bounded before it is read, and valid UTF-8 where it is text. */
import { HoldfastError, type Json, type LimitName, limitExceeded, limits, scanText } from '@holdfast/protocol'
import { checkServerLimit, serverLimits } from '../limits.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** JSON, checked and parsed; undefined when there is no body. */
export async function readJson(request: Request): Promise<Json | undefined> {
  const bytes = await readBytes(request, serverLimits.requestBytes, (size) =>
    checkServerLimit('requestBytes', size, 'body'),
  )
  if (bytes.byteLength === 0) return undefined
  requireJson(request.headers.get('content-type'))
  return scanText(decode(bytes), 'commitBytes', 'body')
}

/** A file as it is, measured while it comes. */
export async function readFile({ headers, body }: Request): Promise<Uint8Array> {
  const check = (size: number) => checkFile('attachmentBytes', size)
  check(Number(headers.get('content-length') ?? 0))
  return body === null ? new Uint8Array() : readStream(body, limits.attachmentBytes, check)
}

function checkFile(limit: LimitName, size: number): void {
  if (size > limits[limit]) throw limitExceeded(limit, size, 'body')
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new HoldfastError('invalid_input', 'body: not UTF-8.', { cause })
  }
}

function requireJson(type: string | null): void {
  if (type !== null && /^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(type)) return
  throw new HoldfastError('unsupported_media_type', 'send the body as `Content-Type: application/json`.')
}

async function readBytes(request: Request, most: number, check: (size: number) => void): Promise<Uint8Array> {
  const declared = request.headers.get('content-length')
  if (declared === null)
    return request.body === null ? new Uint8Array() : readStream(request.body, most, check)
  check(Number(declared))
  const bytes = new Uint8Array(await request.arrayBuffer())
  check(bytes.byteLength)
  return bytes
}

/** No more is kept of it than may be, whatever its length was said to be. */
async function readStream(
  stream: ReadableStream<Uint8Array>,
  most: number,
  check: (size: number) => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
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
