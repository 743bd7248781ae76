/** The command as a whole process, from start to exit, on a store of many sessions. */
import { spawnSync } from 'node:child_process'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { buildInto } from './lib/built.ts'
import { median, percentile } from './lib/measure.ts'
import { temporaryFolder } from './lib/place.ts'
import { rounds, sized } from './lib/size.ts'
import { count, ms, section, table } from './lib/table.ts'
import { turn } from './lib/text.ts'

const sessions = sized(2_000)

const lines = [
  '--help',
  '',
  'sessions',
  'search warehouse Thursday',
  'show last --tail 10',
  'usage --by agent',
]

export async function cli(): Promise<void> {
  const folder = temporaryFolder()
  const store = folder.path('holdfast.db')
  await fill(store)
  const { command } = buildInto(folder.path('built'))
  const run = (args: readonly string[]) => {
    const start = performance.now()
    const { status, stderr } = spawnSync(process.execPath, args, {
      env: { ...process.env, HOLDFAST_STORE: store },
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
    return performance.now() - start
  }
  const works = [['-e', '0'], ...lines.map((line) => [command, ...line.split(' ').filter(Boolean)])]
  // The first run of each compiles what the others find compiled.
  const timings = works.map((args) => ({ args, times: [] as number[], first: run(args) }))
  for (let round = 0; round < rounds; round++) {
    for (const { args, times } of timings) times.push(run(args))
  }
  folder.remove()
  const rows = timings.map(({ args, times, first }) => [
    args[0] === command ? `holdfast ${args.slice(1).join(' ')}`.trim() : 'node alone',
    ms(median(times)),
    ms(percentile(times, 0.95)),
    ms(first),
  ])
  section(
    `The command as a whole process, ${count(sessions)} sessions`,
    table(['command', 'median', 'p95', 'first'], rows),
    'Targets: `holdfast --help` 120 ms, `holdfast sessions` 200 ms.',
  )
}

async function fill(path: string): Promise<void> {
  await using holdfast = await openHoldfast({ store: sqlite(path) })
  for (let n = 0; n < sessions; n += 200) {
    await Promise.all(
      Array.from({ length: Math.min(200, sessions - n) }, async (_, i) => {
        const session = await holdfast.sessions.create({
          agentId: `agent-${i % 7}`,
          title: `session ${n + i}`,
        })
        await session.append(turn(n + i))
      }),
    )
  }
  while ((await holdfast.search('warehouse')).behind);
}
