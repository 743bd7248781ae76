/** Several processes that write to one file at once. */
import type { WriteJob } from './child/writer.ts'
import { Child } from './lib/child.ts'
import type { Timing } from './lib/measure.ts'
import { temporaryFolder } from './lib/place.ts'
import { rounds, sized } from './lib/size.ts'
import { count, section, table } from './lib/table.ts'
import { group, rateRows, timeHeader } from './lib/timing-rows.ts'

const processCounts = [1, 2, 4]
const callers = 8
const turns = 200
const contenders = {
  [`hand-written, ${callers} turns a transaction`]: 'by hand',
  [`the store alone, ${callers} turns a transaction`]: 'store',
  [`holdfast, ${callers} callers`]: 'holdfast',
} as const

export async function processes(): Promise<void> {
  const rows: string[][] = []
  for (const many of processCounts) rows.push(...(await write(many)))
  section(
    'Processes writing to one file',
    table(['processes', ...timeHeader], rows),
    'Durable turns a second of all processes together, from the first begun to the last done.',
  )
}

async function write(processes: number): Promise<string[][]> {
  const timings = Object.keys(contenders).map((name): Timing => ({ name, perPiece: [] }))
  for (let round = 0; round < rounds; round++) {
    for (const [index, contender] of Object.values(contenders).entries()) {
      timings[index]?.perPiece.push(await msPerTurn(contender, processes))
    }
  }
  return group(count(processes), rateRows(timings))
}

async function msPerTurn(contender: WriteJob['contender'], processes: number): Promise<number> {
  const folder = temporaryFolder()
  const script = new URL('./child/writer.ts', import.meta.url)
  const path = folder.path('bench.db')
  const children: Child<number>[] = []
  for (let process = 0; process < processes; process++) {
    const job: WriteJob = { contender, path, process, callers, turns: sized(turns) }
    children.push(await Child.start<number>(script, job))
  }
  const start = Date.now()
  const ends = await Promise.all(children.map((child) => child.run()))
  folder.remove()
  return (Math.max(...ends) - start) / (processes * callers * sized(turns))
}
