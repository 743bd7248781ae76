/** A session resumed by a process that has just started: the import, then the open file, the session and its last 50 messages. */
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import type { Opened, OpenJob } from './child/opener.ts'
import { openBaseline } from './lib/baseline.ts'
import { type Built, buildInto } from './lib/built.ts'
import { Child } from './lib/child.ts'
import { fill } from './lib/fill.ts'
import { median } from './lib/measure.ts'
import { temporaryFolder } from './lib/place.ts'
import { plainScript } from './lib/plain-script.ts'
import { rounds, sized } from './lib/size.ts'
import { count, ms, section, spread, table } from './lib/table.ts'

const lengths = [10, 10_000, 1_000_000]
const contenders = { 'hand-written': 'by hand', 'the store alone': 'store', holdfast: 'holdfast' } as const

export async function open(): Promise<void> {
  const folder = temporaryFolder()
  const built = buildInto(folder.path('built'))
  const script = await plainScript(new URL('./child/opener.ts', import.meta.url), folder.path('child'))
  const rows: string[][] = []
  for (const length of lengths) {
    const job = await filled(folder.path, length, built)
    rows.push(...(await resumed(script, job, length)))
  }
  folder.remove()
  section(
    'A session resumed by a fresh process',
    table(['messages', '', 'import', 'rounds', 'resume at first', 'rounds', 'resume then'], rows),
    'Resume: the file opened, the session opened, its last 50 messages read, by a process in which nothing of them is open or kept. At first: as the first that the process does, its code not yet compiled; then: median of 50 more. The files are in the cache of the system. Target: 2 ms for code that ran before, import 60 ms.',
  )
}

type Files = Omit<OpenJob, 'contender' | 'path' | 'modules'> & { byHand: string; holdfast: string }

async function filled(path: (name: string) => string, length: number, built: Built): Promise<Files> {
  const files = { byHand: path(`baseline-${length}.db`), holdfast: path(`holdfast-${length}.db`) }
  const baseline = openBaseline(files.byHand)
  baseline.fill(1, sized(length))
  baseline.close()
  const holdfast = await openHoldfast({ store: sqlite(files.holdfast) })
  const session = await holdfast.sessions.create({ agentId: 'bench' })
  await fill(session, sized(length))
  await holdfast.close()
  return { ...files, sessionId: session.id, built }
}

async function resumed(
  script: URL,
  { byHand, holdfast, sessionId, built }: Files,
  length: number,
): Promise<string[][]> {
  const found = new Map<string, Opened[]>(Object.keys(contenders).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      const file = contender === 'by hand' ? { path: byHand, sessionId: '1' } : { path: holdfast, sessionId }
      const job: OpenJob = { contender, built, modules: import.meta.url, ...file }
      const child = await Child.start<Opened>(script, job)
      found.get(name)?.push(await child.run())
    }
  }
  return [...found].map(([name, opened], index) => {
    const imports = opened.map(({ importMs }) => importMs)
    const resumes = opened.map(({ resumeMs }) => resumeMs)
    const again = median(opened.map(({ againMs }) => againMs))
    const cells = [
      ms(median(imports)),
      spread(imports, ms),
      ms(median(resumes)),
      spread(resumes, ms),
      ms(again),
    ]
    return [index === 0 ? count(sized(length)) : '', name, ...cells]
  })
}
