/**
 * A file of a session, read piece after piece. A piece has no checksum of its own, so the whole of it is held against the
 * hash whatever range is wanted, and the last piece that is wanted is given only then: who got all that was asked for got
 * what was kept.
 */
import { createHash } from 'node:crypto'
import { HoldfastError, type TenantId } from '@holdfast/protocol'
import { corrupt } from '../store/checksum.ts'
import type { AttachmentPiece, ByteRange, Store } from '../store/store.ts'

/** Small, since one is held for each reader; not smaller, since SQLite goes through the whole file for each. */
const pieceBytes = 512 * 1024

export interface StoredFile {
  /** Its size. */
  readonly bytes: number
  /**
   * The bytes of a range within it, default all, read as they are taken. Throws `store_corrupt` in place of the last of them
   * when the file is not what its hash says, `not_found` when it was erased meanwhile.
   */
  pieces(range?: ByteRange): AsyncGenerator<Uint8Array, void, void>
}

/** Where a file is looked for. */
interface FilePlace {
  readonly store: Store
  readonly tenantId: TenantId
  readonly sessionId: string
  readonly hash: string
}

/** Undefined when the session has no such file. */
export async function openFile(place: FilePlace): Promise<StoredFile | undefined> {
  const found = await readPiece(place, { offset: 0, length: 0 })
  if (!found) return undefined
  const { size } = found
  return { bytes: size, pieces: (range = { offset: 0, length: size }) => verified(place, size, range) }
}

function readPiece(
  { store, tenantId, sessionId, hash }: FilePlace,
  range: ByteRange,
): Promise<AttachmentPiece | undefined> {
  return store.readAttachmentPiece(tenantId, sessionId, hash, range)
}

async function* verified(
  place: FilePlace,
  size: number,
  { offset, length }: ByteRange,
): AsyncGenerator<Uint8Array, void, void> {
  const { sessionId, hash } = place
  const end = offset + length
  const digest = createHash('sha256')
  let last: Uint8Array | undefined
  for (let at = 0; at < size; at += pieceBytes) {
    const found = await readPiece(place, { offset: at, length: pieceBytes })
    if (!found) throw new HoldfastError('not_found', `the file ${hash} was erased while it was read.`)
    digest.update(found.bytes)
    if (at >= end || at + pieceBytes <= offset) continue
    const wanted = found.bytes.subarray(Math.max(0, offset - at), end - at)
    if (at + pieceBytes < end) yield wanted
    else last = wanted
  }
  if (digest.digest('hex') !== hash) throw corrupt(`File ${hash}`, sessionId, { hash })
  if (last) yield last
}
