/** Eight processes write to one file while eight read it: nothing is lost, and nobody hears of a locked database. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { audit } from './lib/audit.ts'
import { Child } from './lib/child.ts'
import { History, type Op, type Report } from './lib/history.ts'
import { temporaryFolder } from './lib/place.ts'
import type { ReaderTask, Seen } from './lib/reader.ts'
import type { Task } from './lib/writer.ts'

const shared = ['a', 'b', 'c']
const eight = [1, 2, 3, 4, 5, 6, 7, 8]

test('eight writers and eight readers share one file', async () => {
  const file = join(temporaryFolder(), 'holdfast.db')
  const readers = eight.map(() => new Child<Seen>(new URL('./lib/reader.ts', import.meta.url)))
  for (const reader of readers) reader.send({ file, sessions: [...shared, 'own1'] } satisfies ReaderTask)
  const histories = await Promise.all(eight.map((writer) => write(file, writer)))
  const seen = await Promise.all(readers.map(stopped))

  expect(seen.flatMap(({ wrong }) => wrong)).toEqual([])
  expect(Math.min(...seen.map(({ events }) => events))).toBeGreaterThan(0)
  expect(histories.map((history) => history.count('unknown'))).toEqual(eight.map(() => 0))
  const found = await audit({ place: { file }, ops: merged(histories), drafted: [] })
  expect(found).toMatchObject({ absent: [], lost: [], duplicated: [], reordered: [], wrong: [] })
})

async function write(file: string, writer: number): Promise<History> {
  const child = new Child<Report>(new URL('./lib/writer.ts', import.meta.url))
  const task: Task = {
    file,
    writer,
    sessions: shared,
    running: [`own${writer}`],
    rounds: 6,
    aheadMs: 0,
    again: [],
    planted: false,
  }
  child.send(task)
  const history = new History()
  for (let report = await child.next(); report; report = await child.next()) history.take(report)
  expect([await child.end(), child.errors]).toEqual(['0', ''])
  return history
}

async function stopped(reader: Child<Seen>): Promise<Seen> {
  reader.send('stop')
  const seen = await reader.require()
  expect([await reader.end(), reader.errors]).toEqual(['0', ''])
  return seen
}

/** Each writer made the shared sessions, and one of them did. */
function merged(histories: readonly History[]): Op[] {
  return [...new Map(histories.flatMap(({ ops }) => [...ops])).values()]
}
