/** Files that are kept compressed, as Codex keeps its older ones: read from the beginning each time, for nothing else leads to a place in them. */
import { createReadStream } from 'node:fs'
import { createZstdDecompress } from 'node:zlib'
import { HoldfastError } from '@holdfast/protocol'

const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
const chunkSize = 1024 * 1024

export function isZstd(beginning: Buffer): boolean {
  return beginning.subarray(0, magic.length).equals(magic)
}

/** What the file holds from `start` up to `end`, or to its end. Throws `invalid_input` where it is damaged. */
export async function* decompressedChunks(path: string, start: number, end: number): AsyncGenerator<Buffer> {
  const decompressed = createZstdDecompress({ chunkSize })
  const compressed = createReadStream(path)
  compressed.on('error', (error) => decompressed.destroy(error)).pipe(decompressed)
  let at = 0
  try {
    for await (const chunk of decompressed as AsyncIterable<Buffer>) {
      const [from, through] = [Math.max(0, start - at), Math.min(chunk.length, end - at)]
      at += chunk.length
      if (from < through) yield chunk.subarray(from, through)
      if (at >= end) return
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z') !== true) throw error
    throw new HoldfastError('invalid_input', `${path} cannot be decompressed: ${(error as Error).message}`, {
      cause: error,
    })
  } finally {
    compressed.destroy()
    decompressed.destroy()
  }
}
