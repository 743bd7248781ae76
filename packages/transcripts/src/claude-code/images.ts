/** Images in messages are kept once, by the hash of their bytes; the message names them. */
import type { FileReference, NewFile } from '@holdfast/core'
import { type Json, limits, type MessagePart } from '@holdfast/protocol'
import { type Block, type Entry, objectOf, textOf } from './entry.ts'

export type PutImage = (file: NewFile, at: string | undefined) => Promise<FileReference>

const put = Symbol('put')
type PutBlock = Block & { [put]?: FileReference }

export function hasImages(entry: Entry): boolean {
  return entry.blocks.some(({ type }) => type === 'image')
}

/** The entry with each of its images put where `imageOf` finds it. */
export async function withImages(entry: Entry, putImage: PutImage): Promise<Entry> {
  const blocks: Block[] = []
  for (const block of entry.blocks) {
    const file = block.type === 'image' ? fileOf(block.source) : undefined
    blocks.push(file ? { ...block, ...marked(await putImage(file, entry.at)) } : block)
  }
  return { ...entry, blocks }
}

function marked(reference: FileReference): object {
  return { [put]: reference }
}

/** Undefined: not an image whose bytes were put. Everything of the block but the bytes is kept. */
export function imageOf(block: Block): MessagePart | undefined {
  const reference = (block as PutBlock)[put]
  if (!reference) return undefined
  const { type: _type, source, ...rest } = block
  const { data: _data, ...about } = objectOf(source) ?? {}
  return { type: 'image', ...reference, provider: { ...rest, source: about } }
}

/** Undefined for an image that is not in the file, or not as its text would be written again. */
function fileOf(source: Json | undefined): NewFile | undefined {
  const { type, media_type, data } = objectOf(source) ?? {}
  const text = textOf(data)
  if (type !== 'base64' || text === undefined) return undefined
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text || bytes.length > limits.attachmentBytes) return undefined
  return { bytes, mediaType: textOf(media_type) ?? 'application/octet-stream' }
}
