/** Images of the chat format: data addresses, whose bytes are kept once by their hash. */
import type { NewFile } from '@holdfast/core'
import { type Json, type JsonObject, limits } from '@holdfast/protocol'
import { isObject } from './session.ts'

const dataAddress = /^data:([\w.+-]+\/[\w.+-]+);base64,([A-Za-z0-9+/]+=*)$/

/** Undefined for what is no image in the file. `provider`: what else stood beside its address. */
export function imageFileOf(part: Json): { file: NewFile; provider: JsonObject | undefined } | undefined {
  if (!isObject(part) || part.type !== 'image_url' || !isObject(part.image_url)) return undefined
  const { url, ...rest } = part.image_url
  const [, mediaType, base64] = (typeof url === 'string' && dataAddress.exec(url)) || []
  if (mediaType === undefined || base64 === undefined) return undefined
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.toString('base64') !== base64 || bytes.length > limits.attachmentBytes) return undefined
  return { file: { bytes, mediaType }, provider: Object.keys(rest).length > 0 ? rest : undefined }
}
