/**
 * Claude Code transcripts, multiplied with ids of their own: imported with search on, imported again, searched, listed.
 * `HOLDFAST_BENCH_MEGABYTES=1000` is the size that the targets are for; `HOLDFAST_BENCH_TRANSCRIPTS` names other samples.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Imported, ImportJob, Taken } from './child/importer.ts'
import { buildInto } from './lib/built.ts'
import { Child } from './lib/child.ts'
import { median, percentile } from './lib/measure.ts'
import { temporaryFolder } from './lib/place.ts'
import { rounds, share } from './lib/size.ts'
import { count, mebibytes, ms, section, table } from './lib/table.ts'
import { generateTranscripts } from './transcripts/generate.ts'

const megabytes = Number(process.env.HOLDFAST_BENCH_MEGABYTES ?? 100) * share
const samples =
  process.env.HOLDFAST_BENCH_TRANSCRIPTS ??
  join(import.meta.dirname, '../packages/transcripts/samples/claude-code')

const words = ['error', 'file', 'function test', 'import module', 'user', 'nowhere', 'read write', 'line 42']
const searches = 100

export async function transcripts(): Promise<void> {
  const folder = temporaryFolder()
  const source = folder.path('transcripts')
  const { bytes, files } = generateTranscripts(samples, source, megabytes * 1e6)
  const job: ImportJob = {
    path: folder.path('holdfast.db'),
    source,
    built: buildInto(folder.path('built')),
    words: Array.from({ length: searches }, (_, at) => words[at % words.length] as string),
  }
  const child = await Child.start<Imported>(new URL('./child/importer.ts', import.meta.url), job)
  const { imported, again, indexed, searchMs } = await child.run()
  const listing = Array.from({ length: rounds }, () => listSessions(job))
  folder.remove()
  const rate = ({ seconds }: Taken) => `${(bytes / 1e6 / seconds).toFixed(1)} MB/s`
  const row = (name: string, step: Taken, found: string, target: string) => [
    name,
    found,
    `${step.seconds.toFixed(2)} s`,
    `${step.cpuSeconds.toFixed(2)} s`,
    mebibytes(step.peak),
    target,
  ]
  const asked = (name: string, times: readonly number[], target: string) => [
    name,
    `median ${ms(median(times))}, p95 ${ms(percentile(times, 0.95))}`,
    '',
    '',
    '',
    target,
  ]
  section(
    `Import of ${(bytes / 1e6).toFixed(0)} MB of Claude Code transcripts in ${count(files)} files`,
    table(
      ['', 'found', 'took', 'of the processor', 'resident at the most, so far', 'target'],
      [
        row('imported', imported, rate(imported), '40 MB/s, 200 MB'),
        row('again, unchanged', again, rate(again), `${((bytes / 1e9) * 2).toFixed(2)} s`),
        row('indexed for search', indexed, rate(indexed), ''),
        asked(`search, ${searches} times`, searchMs, '100 ms'),
        asked('`holdfast sessions`, the process', listing, '200 ms'),
      ],
    ),
    'Two threads read and write; the index is filled by the first search after the import. Targets are for 1 GB.',
  )
}

function listSessions({ built, path }: ImportJob): number {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, [built.command, 'sessions'], {
    env: { ...process.env, HOLDFAST_STORE: path },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`holdfast sessions: ${stderr}`)
  return performance.now() - start
}
