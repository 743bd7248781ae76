import type { FileHandle } from 'node:fs/promises'

const chunkBytes = 1024 * 1024

/** The bytes of a file from `start` up to `end`, or to where the file ends now. Each chunk is a buffer of its own. */
export async function* readChunks(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end; ) {
    const length = Math.min(chunkBytes, end - at)
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, at)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    at += bytesRead
  }
}
