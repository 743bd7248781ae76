/** Images of the chat format: data addresses, whose bytes are kept once by their hash. */
import type { NewFile } from '@holdfast/core'
import type { Json, JsonObject } from '@holdfast/protocol'
import { fileAt } from '../openai-responses/data-address.ts'
import { isObject } from './session.ts'

/** Undefined for what is no image in the file. `provider`: what else stood beside its address. */
export function imageFileOf(part: Json): { file: NewFile; provider: JsonObject | undefined } | undefined {
  if (!isObject(part) || part.type !== 'image_url' || !isObject(part.image_url)) return undefined
  const { url, ...rest } = part.image_url
  const file = typeof url === 'string' ? fileAt(url) : undefined
  return file && { file, provider: Object.keys(rest).length > 0 ? rest : undefined }
}
