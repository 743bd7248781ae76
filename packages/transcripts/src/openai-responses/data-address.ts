/** Bytes as text, as an item has them: alone, or as a data address. */
import type { NewFile } from '@holdfast/core'
import { limits } from '@holdfast/protocol'

const head = /^data:([\w.+-]+\/[\w.+-]+);base64,/

/** Undefined for an address of anything else, and for one that would not be written again as it is. */
export function fileAt(address: string): NewFile | undefined {
  const [start = '', mediaType] = head.exec(address) ?? []
  return mediaType === undefined ? undefined : fileOf(address.slice(start.length), mediaType)
}

export function addressOf({ bytes, mediaType }: NewFile): string {
  return `data:${mediaType};base64,${base64Of(bytes)}`
}

export function fileOf(base64: string, mediaType: string): NewFile | undefined {
  const bytes = Buffer.from(base64, 'base64')
  const isKept = bytes.length > 0 && bytes.length <= limits.attachmentBytes
  return isKept && base64Of(bytes) === base64 ? { bytes, mediaType } : undefined
}

export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
