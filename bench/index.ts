/**
 * `npm run bench -- <workload>`: each prints tables of medians beside baselines measured in the same run. Without a name all
 * those on SQLite run, and what they print becomes `docs/benchmarks.md` (`all --out <file>`: another one).
 *
 * `HOLDFAST_BENCH_MEGABYTES`: of transcripts, 100 by default. `HOLDFAST_BENCH_ROUNDS`: of each contender. `HOLDFAST_BENCH_SHARE`: a share of every size. `HOLDFAST_BENCH_DIR`: where files go.
 */
import { agent } from './agent.ts'
import { all } from './all.ts'
import { append } from './append.ts'
import { cli } from './cli.ts'
import { http } from './http.ts'
import { list } from './list.ts'
import { memory } from './memory.ts'
import { open } from './open.ts'
import { postgres } from './postgres.ts'
import { processes } from './processes.ts'
import { size } from './size.ts'
import { sse } from './sse.ts'
import { tail } from './tail.ts'
import { transcripts } from './transcripts.ts'

const workloads: Record<string, { run: () => Promise<void>; about: string }> = {
  all: {
    run: all,
    about: 'all of the following but postgres; writes docs/benchmarks.md (ten minutes)',
  },
  agent: { run: agent, about: 'a round of an agent, over a bare streamText loop' },
  append: {
    run: append,
    about: 'one durable turn: alone, in a growing session, from 64 callers',
  },
  cli: { run: cli, about: 'the holdfast command as a whole process' },
  http: { run: http, about: 'durable appends over HTTP from 64 connections' },
  list: { run: list, about: '50 of 100,000 sessions' },
  memory: {
    run: memory,
    about: 'what a session of a million messages takes',
  },
  open: {
    run: open,
    about: 'import and resume in a process that has just started',
  },
  postgres: {
    run: postgres,
    about: 'append, lists, 64 callers and bloat on Postgres (three minutes)',
  },
  processes: {
    run: processes,
    about: 'one, two and four processes that write to one file',
  },
  size: { run: size, about: 'bytes on disk per byte of text' },
  sse: {
    run: sse,
    about: 'live streams: a thousand followers, ten thousand who wait, a thousand who stand still',
  },
  tail: { run: tail, about: 'the last 50 of up to 1,000,000 messages' },
  transcripts: { run: transcripts, about: 'import of Claude Code transcripts, and search over them' },
}

const name = process.argv[2] ?? 'all'
const workload = Object.hasOwn(workloads, name) ? workloads[name] : undefined
if (!workload) {
  console.error('usage: npm run bench -- [<workload>]')
  for (const [known, { about }] of Object.entries(workloads)) console.error(`  ${known.padEnd(11)} ${about}`)
  process.exit(2)
}
await workload.run()
