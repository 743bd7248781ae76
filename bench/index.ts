/** `npm run bench -- <workload>`: each workload prints a table of medians beside a baseline measured in the same run. */
import { append } from './append.ts'
import { cli } from './cli.ts'
import { postgres } from './postgres.ts'
import { tail } from './tail.ts'
import { transcripts } from './transcripts.ts'

const workloads: Record<string, { run: () => Promise<void>; about: string }> = {
  append: { run: append, about: 'one durable turn: alone, in a growing session, from 64 callers (a minute)' },
  cli: { run: cli, about: 'the holdfast command as a whole process (half a minute)' },
  postgres: {
    run: postgres,
    about: 'the same on Postgres, with lists, 64 callers and bloat (three minutes)',
  },
  tail: { run: tail, about: 'the last 50 of up to 100,000 messages (half a minute)' },
  transcripts: { run: transcripts, about: 'import of 100 MB of Claude Code transcripts (half a minute)' },
}

const name = process.argv[2] ?? ''
const workload = Object.hasOwn(workloads, name) ? workloads[name] : undefined
if (!workload) {
  console.error('usage: npm run bench -- <workload>')
  for (const [known, { about }] of Object.entries(workloads)) console.error(`  ${known.padEnd(11)} ${about}`)
  process.exit(2)
}
await workload.run()
