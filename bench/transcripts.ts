/**
 * Importing Claude Code transcripts: bytes of source per second, search on, and once more when nothing changed. Beside it
 * the same bytes read and parsed as JSON, which no import can be faster than.
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { importPaths } from '@holdfast/transcripts'
import { temporaryFolder } from './lib/place.ts'
import { table } from './lib/table.ts'
import { generateTranscripts } from './transcripts/generate.ts'

const megabytes = Number(process.env.HOLDFAST_BENCH_MEGABYTES ?? 100)
const samples =
  process.env.HOLDFAST_BENCH_TRANSCRIPTS ??
  join(import.meta.dirname, '../packages/transcripts/samples/claude-code')

export async function transcripts(): Promise<void> {
  const folder = temporaryFolder()
  const source = folder.path('transcripts')
  const { bytes, files } = generateTranscripts(samples, source, megabytes * 1e6)
  const holdfast = await openHoldfast({ store: sqlite(folder.path('holdfast.db')) })
  let peak = 0
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 20)
  const first = await timed(() => importPaths(holdfast, [source]))
  clearInterval(watch)
  const again = await timed(() => importPaths(holdfast, [source]))
  await holdfast.close()
  const parsed = await timed(async () => parseAll(source))
  folder.remove()
  const row = (name: string, ms: number) => [
    name,
    `${(ms / 1e3).toFixed(2)} s`,
    `${(bytes / 1e3 / ms).toFixed(1)}`,
  ]
  const rows = [row('parse alone', parsed), row('import', first), row('again, unchanged', again)]
  console.log(
    `\n${files} files, ${(bytes / 1e6).toFixed(0)} MB; highest memory ${(peak / 1e6).toFixed(0)} MB\n`,
  )
  console.log(table(['', 'took', 'MB/s'], rows))
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

function parseAll(source: string): void {
  for (const path of globSync('**/*.jsonl', { cwd: source })) {
    for (const line of readFileSync(join(source, path), 'utf8').split('\n'))
      if (line.startsWith('{')) JSON.parse(line)
  }
}
