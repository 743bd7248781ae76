/** Bytes on disk for each byte of text, with the search index and without it. */
import { statSync } from 'node:fs'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { openBaseline } from './lib/baseline.ts'
import { repeat } from './lib/measure.ts'
import { temporaryFolder } from './lib/place.ts'
import { sized } from './lib/size.ts'
import { count, section, table } from './lib/table.ts'
import { wordyTurn } from './lib/text.ts'

const turns = 1_000
const sessionCounts = [1, 100]

export async function size(): Promise<void> {
  const rows: string[][] = []
  for (const sessions of sessionCounts) rows.push(...(await sizesOf(sessions)))
  section(
    `Bytes per byte of text after ${count(sized(turns))} turns`,
    table(['sessions', '', 'bytes', 'per byte of text'], rows),
    'Of the closed file, 1 KiB of text a message, a commit a turn. Target: at most 1.5, and 3 with the search index.',
  )
}

async function sizesOf(sessions: number): Promise<string[][]> {
  const folder = temporaryFolder()
  const files = [
    ['hand-written', byHand(folder.path('baseline.db'), sessions)],
    ['holdfast without search', await byHoldfast(folder.path('plain.db'), sessions, false)],
    ['holdfast with its search index', await byHoldfast(folder.path('indexed.db'), sessions, true)],
  ] as const
  const rows = files.map(([name, path], index) => {
    const { size } = statSync(path)
    return [index === 0 ? count(sessions) : '', name, count(size), (size / textBytes()).toFixed(2)]
  })
  folder.remove()
  return rows
}

function textBytes(): number {
  let bytes = 0
  for (let n = 0; n < sized(turns); n++)
    for (const { parts } of wordyTurn(n)) for (const { text } of parts) bytes += Buffer.byteLength(text)
  return bytes
}

function byHand(path: string, sessions: number): string {
  const baseline = openBaseline(path)
  for (let n = 0; n < sized(turns); n++) {
    const [user, assistant] = wordyTurn(n).map(({ parts }) => parts.map(({ text }) => text).join(''))
    baseline.append(n % sessions, user ?? '', assistant ?? '')
  }
  baseline.close()
  return path
}

async function byHoldfast(path: string, sessions: number, search: boolean): Promise<string> {
  const holdfast = await openHoldfast({ store: sqlite(path, { search }) })
  const open = await Promise.all(
    Array.from({ length: sessions }, () => holdfast.sessions.create({ agentId: 'bench' })),
  )
  await repeat(sized(turns), (n) => open[n % sessions]?.append(wordyTurn(n)))
  while ((await holdfast.search('any')).behind);
  await holdfast.close()
  return path
}
