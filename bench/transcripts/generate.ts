/**
 * Multiplies a folder of Claude Code transcripts: `node bench/transcripts/generate.ts SOURCE TARGET MEGABYTES`. Every copy
 * of a session has ids of its own, so that nothing in it looks like a repetition of another copy.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Writes whole sets of copies until `bytes` are there; gives the bytes and files written. */
export function generateTranscripts(
  source: string,
  target: string,
  bytes: number,
): { bytes: number; files: number } {
  const samples = globSync('**/*.jsonl', { cwd: source })
    .sort()
    .map((path) => ({ path: cut(path), text: cut(readFileSync(join(source, path), 'utf8')) }))
  if (samples.length === 0) throw new Error(`no *.jsonl in ${source}`)
  const written = { bytes: 0, files: 0 }
  for (let copy = 1; written.bytes < bytes; copy++) {
    for (const { path, text } of samples) {
      const file = join(target, named(path, copy))
      mkdirSync(dirname(file), { recursive: true })
      const body = Buffer.from(renewed(text, copy))
      writeFileSync(file, body)
      written.bytes += body.length
      written.files += 1
    }
  }
  return written
}

const ids =
  /([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?:msg|toolu|req)_[0-9A-Za-z]{10,})/

/** Ids stand at the odd places. */
function cut(text: string): string[] {
  return text.split(ids)
}

function renewed(pieces: readonly string[], copy: number): string {
  return pieces.map((piece, at) => (at % 2 === 0 ? piece : freshId(piece, copy))).join('')
}

/** A file whose name is no id gets the number of its copy. */
function named(pieces: readonly string[], copy: number): string {
  const name = renewed(pieces, copy)
  return pieces.length > 1 ? name : name.replace(/\.jsonl$/, `-${copy}.jsonl`)
}

function freshId(id: string, copy: number): string {
  return id.includes('_')
    ? id.slice(0, -8) + hex(copy)
    : hex(Number.parseInt(id.slice(0, 8), 16) ^ copy) + id.slice(8)
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0')
}

if (import.meta.main) {
  const [source = '', target = '', megabytes = ''] = process.argv.slice(2)
  const { bytes, files } = generateTranscripts(source, target, Number(megabytes) * 1e6)
  console.log(`${files} files, ${(bytes / 1e6).toFixed(1)} MB in ${target}`)
}
