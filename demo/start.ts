/** `npm start`: a first look at what a session can do, on real transcripts and a real file. */
import { type ActiveSession, type Holdfast, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { type ImportSummary, sessionIdOf } from '@holdfast/transcripts'
import { importBundled } from './bundled.ts'
import { showFollow } from './show/follow.ts'
import { showFork } from './show/fork.ts'
import { detail, heading, styled } from './show/screen.ts'
import { showSessions } from './show/sessions.ts'

const path = process.env.HOLDFAST_STORE || './holdfast.db'

const program = [
  "import { openHoldfast } from '@holdfast/core'",
  "import { sqlite } from '@holdfast/core/sqlite'",
  `const holdfast = await openHoldfast({ store: sqlite(${JSON.stringify(path)}) })`,
  'for (const { title, counters } of (await holdfast.sessions.list()).sessions) console.log(title, counters)',
  'await holdfast.close()',
]

const commands = [
  ['npm start', 'again: nothing new to import'],
  ['npm test', 'every promise, proved on every store'],
  ['npm run bench -- append', 'how fast, beside a hand-written table'],
] as const

// A reader that left, as `head` does, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

try {
  await using holdfast = await openHoldfast({ store: sqlite(path) })
  await show(holdfast)
} catch (error) {
  console.error(`Holdfast could not use ${path}: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

async function show(holdfast: Holdfast): Promise<void> {
  const { engine, engineVersion, durable } = holdfast.info()
  const promise = durable ? 'an acknowledged write is on disk' : 'not durable'
  console.log(
    `${styled('bold', 'Holdfast')}  ${path}  ${styled('dim', `${engine} ${engineVersion}, ${promise}`)}`,
  )
  const started = performance.now()
  showImport(await importBundled(holdfast), performance.now() - started)
  await showSessions(holdfast)
  const session = await bundledSession(holdfast)
  await showFollow(session)
  await showFork(holdfast, session)
  showNext()
}

function showImport(summary: ImportSummary, tookMs: number): void {
  const { sessions, newSessions, events, filesUnchanged, report } = summary
  heading('Import of the bundled transcripts')
  const done = `${newSessions} new of ${sessions} sessions, ${events} events in ${(tookMs / 1_000).toFixed(2)} s`
  detail(events === 0 ? `nothing new: the ${filesUnchanged} files are as they were` : done)
  for (const line of report.toLines()) detail(line)
}

/** A Claude Code session with sub-agents, among those that were imported. */
async function bundledSession(holdfast: Holdfast): Promise<ActiveSession> {
  const id = sessionIdOf(holdfast.tenantId, 'claude-code', '0ccf1a04-1b4c-43b6-8aa5-79e41db43a68')
  const session = await holdfast.sessions.open(id)
  if (session.lifecycle === 'active') return session
  throw new Error(`session ${id} is ${session.lifecycle}; remove the file to start anew`)
}

function showNext(): void {
  heading('This file from a program of yours (save it here as first.ts, run it with npx node first.ts)')
  for (const line of program) console.log(`  ${styled('cyan', line)}`)
  heading('Next')
  for (const [command, what] of commands)
    console.log(`  ${styled('cyan', command.padEnd(24))} ${styled('dim', what)}`)
}
