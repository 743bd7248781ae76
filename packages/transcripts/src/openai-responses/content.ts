/** What a message says, part by part; the bytes of an image are kept once, by their hash. */
import type { Json, JsonObject, MessagePart } from '@holdfast/protocol'
import { fileAt } from './data-address.ts'
import { objectOf } from './json.ts'
import { type PutImage, withReferences } from './references.ts'

export async function contentParts(content: Json | undefined, putImage: PutImage): Promise<MessagePart[]> {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  const parts: MessagePart[] = []
  for (const part of Array.isArray(content) ? content : []) parts.push(await contentPart(part, putImage))
  return parts
}

const textTypes = ['input_text', 'output_text', 'text']

async function contentPart(value: Json, putImage: PutImage): Promise<MessagePart> {
  const part = objectOf(value) ?? {}
  if (typeof part.text === 'string' && textTypes.includes(String(part.type))) {
    const { type: _type, text, ...rest } = part
    return { type: 'text', text: String(text), ...beside(rest) }
  }
  const image = await imagePart(part, putImage)
  return image ?? { type: 'data', name: 'responses.content', data: await withReferences(value, putImage) }
}

/** What an image may have beside its address; with anything else it is kept whole. */
export const imageFields = ['detail', 'file_id']

async function imagePart(part: JsonObject, putImage: PutImage): Promise<MessagePart | undefined> {
  const { type, image_url: address, ...rest } = part
  const isImage = type === 'input_image' && Object.keys(rest).every((field) => imageFields.includes(field))
  const file = isImage && typeof address === 'string' ? fileAt(address) : undefined
  return file && { type: 'image', ...(await putImage(file)), ...beside(rest) }
}

function beside(rest: JsonObject): { provider?: JsonObject } {
  return Object.keys(rest).length > 0 ? { provider: rest } : {}
}
