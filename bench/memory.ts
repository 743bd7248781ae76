/** What a process needs for a session of a million messages: it never holds more than a page of it. */
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import type { Read, ReadJob } from './child/reader.ts'
import { buildInto } from './lib/built.ts'
import { Child } from './lib/child.ts'
import { fill } from './lib/fill.ts'
import { temporaryFolder } from './lib/place.ts'
import { plainScript } from './lib/plain-script.ts'
import { serverFlags } from './lib/server-flags.ts'
import { sized } from './lib/size.ts'
import { count, mebibytes, section, table } from './lib/table.ts'
import { group } from './lib/timing-rows.ts'

const messages = 1_000_000
const turnsAppended = 1_000

const ways = { 'as Node starts': [], [`node ${serverFlags.join(' ')}`]: serverFlags }

export async function memory(): Promise<void> {
  const folder = temporaryFolder()
  const path = folder.path('holdfast.db')
  const holdfast = await openHoldfast({ store: sqlite(path) })
  const session = await holdfast.sessions.create({ agentId: 'bench' })
  await fill(session, sized(messages))
  await holdfast.close()
  const job: ReadJob = {
    path,
    sessionId: session.id,
    built: buildInto(folder.path('built')),
    turns: sized(turnsAppended),
  }
  const source = new URL('./child/reader.ts', import.meta.url)
  const script = await plainScript(source, folder.path('child'))
  const rows: string[][] = []
  for (const [name, options] of Object.entries(ways)) {
    const child = await Child.start<Read>(script, job, options)
    const { steps, events } = await child.run()
    const cells = steps.map(({ step, peak, seconds }) => [step, mebibytes(peak), `${seconds.toFixed(2)} s`])
    rows.push(...group(`${name}, ${count(events)} events`, cells))
  }
  folder.remove()
  section(
    `Memory for a session of ${count(sized(messages))} messages`,
    table(['', '', 'resident at the most, so far', 'time'], rows),
    `${count(sized(turnsAppended))} turns appended. As Node starts, V8 lets the garbage of the young grow to 64 MB; the option, with which \`npm start\` and the image start a server, halves that. Target: 150 MB.`,
  )
}
