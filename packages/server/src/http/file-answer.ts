/** A file as an answer: the whole, a range of it, or neither where the caller has it already. */
import type { StoredFile } from '@holdfast/core'
import type { Answer } from '../answer.ts'
import { FileStream } from '../streams/file-stream.ts'
import { isKnown } from './conditions.ts'
import { rangeOf } from './range.ts'

/** `broken` hears of what fails once the answer has begun. */
export async function fileAnswer(
  { method, headers: asked }: Request,
  { file, hash }: { file: StoredFile; hash: string },
  broken: (error: unknown) => void,
): Promise<Answer> {
  const etag = `"${hash}"`
  if (isKnown(asked, etag)) return { status: 304, body: null, headers: { etag } }
  const range = method === 'HEAD' ? undefined : rangeOf(asked, file.bytes, etag)
  const { offset, length } = range ?? { offset: 0, length: file.bytes }
  // Never shown by a browser as what somebody says it is.
  const headers = {
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment',
    'content-length': String(length),
    ...(range && { 'content-range': `bytes ${offset}-${offset + length - 1}/${file.bytes}` }),
    etag,
  }
  if (method === 'HEAD') return { status: 200, body: null, headers }
  const stream = await FileStream.begin(file.pieces({ offset, length }), broken)
  return { status: range ? 206 : 200, stream, headers }
}
