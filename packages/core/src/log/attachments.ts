/** Files of a session, kept by the SHA-256 of their bytes. An event names each one: what no event names is removed. */
import { checkLimit, filePart, HoldfastError, parseInput } from '@holdfast/protocol'
import { sha256 } from '../store/sha256.ts'
import type { Attachment } from '../store/store.ts'

/** Kind of the note that names a file from its arrival on. */
export const ATTACHMENT_NOTE = 'attachment'

export interface NewFile {
  bytes: Uint8Array
  mediaType: string
  name?: string
}

/** What a file or image part of a message carries. */
export interface FileReference {
  hash: string
  mediaType: string
  bytes: number
  name?: string
}

export function attachmentOf(bytes: Uint8Array): Attachment {
  if (!(bytes instanceof Uint8Array)) throw new HoldfastError('invalid_input', 'attachment: expected bytes.')
  checkLimit('attachmentBytes', bytes.byteLength, 'attachment')
  return { hash: sha256(bytes).toString('hex'), bytes }
}

export function referenceTo({ bytes, mediaType, name }: NewFile, { hash }: Attachment): FileReference {
  const reference = { hash, mediaType, bytes: bytes.byteLength, ...(name !== undefined && { name }) }
  parseInput(filePart, { type: 'file', ...reference }, 'attachment')
  return reference
}
