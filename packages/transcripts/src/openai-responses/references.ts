/** Images within outputs and items: their bytes are kept once, and a reference stands where they stood as text. */
import type { FileReference, NewFile } from '@holdfast/core'
import type { Json, JsonObject } from '@holdfast/protocol'
import type { ExportedSession } from '../contract.ts'
import { addressOf, base64Of, fileAt, fileOf } from './data-address.ts'
import { objectOf } from './json.ts'

export type PutImage = (file: NewFile) => Promise<FileReference>

export async function withReferences(value: Json, putImage: PutImage): Promise<Json> {
  if (!Array.isArray(value)) return withReference(value, putImage)
  const parts: Json[] = []
  for (const part of value) parts.push(await withReference(part, putImage))
  return parts
}

/** The way back. A reference whose bytes are gone stays one. */
export async function withTexts(value: Json, session: ExportedSession): Promise<Json> {
  return Array.isArray(value)
    ? Promise.all(value.map((part) => withText(part, session)))
    : withText(value, session)
}

/** For a format without a place for the files: what is left, and how many were referred to. */
export function withoutReferences(value: Json): { value: Json; references: number } {
  const parts = Array.isArray(value) ? value : [value]
  const left = parts.map(withoutReference)
  const references = left.filter((part, at) => part !== parts[at]).length
  return { value: Array.isArray(value) ? left : (left[0] ?? null), references }
}

function withoutReference(value: Json): Json {
  const part = objectOf(value)
  const field = part && fieldOf(part)
  if (!part || !field || typeof objectOf(part[field])?.hash !== 'string') return value
  const { [field]: _reference, ...rest } = part
  return rest
}

async function withReference(value: Json, putImage: PutImage): Promise<Json> {
  const part = objectOf(value)
  const field = part && fieldOf(part)
  const text = field && part[field]
  const file = typeof text === 'string' ? fileIn(text, part as JsonObject) : undefined
  return file && part && field ? { ...part, [field]: { ...(await putImage(file)) } } : value
}

async function withText(value: Json, session: ExportedSession): Promise<Json> {
  const part = objectOf(value)
  const field = part && fieldOf(part)
  const { hash, mediaType } = objectOf(field && part[field]) ?? {}
  const bytes = typeof hash === 'string' ? await session.getAttachment(hash) : undefined
  if (!bytes || !field) return value
  return {
    ...part,
    [field]: field === 'result' ? base64Of(bytes) : addressOf({ bytes, mediaType: String(mediaType) }),
  }
}

/** Where a part has the bytes of an image. */
function fieldOf({ type }: JsonObject): 'image_url' | 'result' | undefined {
  if (type === 'input_image' || type === 'computer_screenshot') return 'image_url'
  return type === 'image_generation_call' ? 'result' : undefined
}

function fileIn(text: string, { type, output_format: format }: JsonObject): NewFile | undefined {
  if (type !== 'image_generation_call') return fileAt(text)
  return fileOf(text, `image/${typeof format === 'string' && /^\w+$/.test(format) ? format : 'png'}`)
}
