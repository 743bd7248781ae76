/** Files that are kept compressed, as Codex keeps its older ones: read from the beginning each time, for nothing else leads to a place in them. */
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createZstdDecompress } from 'node:zlib'
import { HoldfastError } from '@holdfast/protocol'

const frameMagic = 0xfd2fb528
/** Sixteen magics of frames that hold nothing for a reader; their length follows. */
const skippedMagic = 0x184d2a50
const chunkSize = 1024 * 1024

export function isZstd(beginning: Buffer): boolean {
  if (beginning.length < 4) return false
  const magic = beginning.readUInt32LE()
  return magic === frameMagic || isSkipped(magic)
}

/** What the file holds from `start` up to `end`, or to its end. Throws `invalid_input` where it is damaged. */
export async function* decompressedChunks(path: string, start: number, end: number): AsyncGenerator<Buffer> {
  let at = 0
  for await (const chunk of framesIn(path)) {
    const [from, through] = [Math.max(0, start - at), Math.min(chunk.length, end - at)]
    at += chunk.length
    if (from < through) yield chunk.subarray(from, through)
    if (at >= end) return
  }
}

/** A file is one frame after the other; the decompressor takes one. */
async function* framesIn(path: string): AsyncGenerator<Buffer> {
  const file = await open(path)
  try {
    for (let at = 0; ; ) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, at)
      if (bytesRead === 0) return
      const magic = bytesRead < 4 ? 0 : buffer.readUInt32LE()
      if (isSkipped(magic) && bytesRead === 8) at += 8 + buffer.readUInt32LE(4)
      else if (magic === frameMagic) at += yield* frameAt(path, at)
      else throw damaged(path, `there is no frame at byte ${at}`)
      await requireWithin(file, path, at)
    }
  } finally {
    await file.close()
  }
}

async function requireWithin(file: FileHandle, path: string, at: number): Promise<void> {
  const { size } = await file.stat()
  if (at > size) throw damaged(path, 'unexpected end of file')
}

/** Gives how many bytes of the file it takes. */
async function* frameAt(path: string, start: number): AsyncGenerator<Buffer, number> {
  const decompressed = createZstdDecompress({ chunkSize })
  const compressed = createReadStream(path, { start })
  compressed.on('error', (error) => decompressed.destroy(error)).pipe(decompressed)
  try {
    yield* decompressed as AsyncIterable<Buffer>
    return decompressed.bytesWritten
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z') !== true) throw error
    throw damaged(path, (error as Error).message, error)
  } finally {
    compressed.destroy()
    decompressed.destroy()
  }
}

function isSkipped(magic: number): boolean {
  return magic >= skippedMagic && magic < skippedMagic + 16
}

function damaged(path: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError('invalid_input', `${path} cannot be decompressed: ${why}`, { cause })
}
