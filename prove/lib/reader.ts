/** A process that only reads: it follows by paging what others write, and looks whether every log only grows. */
import { createHash, type Hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { isHoldfastError } from '@holdfast/protocol'
import { messages, report } from './child.ts'

export interface ReaderTask {
  file: string
  sessions: string[]
}

/** How many events were read, of how many pages, and what was wrong. */
export interface Seen {
  events: number
  pages: number
  wrong: string[]
}

/** How far a session was read, and everything read so far as one hash. */
interface Reading {
  id: string
  seq: number
  hash: Hash
}

const seen: Seen = { events: 0, pages: 0, wrong: [] }
let reading: Promise<void> | undefined
let stopped = false
for await (const task of messages<ReaderTask | 'stop'>()) {
  if (task === 'stop') break
  reading = readAll(task)
}
stopped = true
await reading
report(seen)

async function readAll({ file, sessions }: ReaderTask): Promise<void> {
  const holdfast = await openHoldfast({ store: sqlite(file) })
  const readings = sessions.map(fromStart)
  while (!stopped) {
    for (const reading of readings) await readPage(holdfast, reading)
    await sleep(1)
  }
  for (const reading of readings) await readAgain(holdfast, reading)
  await holdfast.close()
}

function fromStart(id: string): Reading {
  return { id, seq: 0, hash: createHash('sha256') }
}

async function readPage(holdfast: Holdfast, reading: Reading, through?: number): Promise<void> {
  const range = { after: reading.seq, limit: 100, ...(through !== undefined && { through }) }
  for (const event of await eventsOf(holdfast, reading.id, range)) {
    if (event.seq !== reading.seq + 1)
      seen.wrong.push(`${reading.id}: ${event.seq} came after ${reading.seq}`)
    reading.seq = event.seq
    reading.hash.update(JSON.stringify(event))
    seen.events += 1
  }
  seen.pages += 1
}

/** Reads what was read once more from the start: not a byte may have changed. */
async function readAgain(holdfast: Holdfast, before: Reading): Promise<void> {
  const now = fromStart(before.id)
  while (now.seq < before.seq) await readPage(holdfast, now, before.seq)
  if (now.hash.digest('hex') !== before.hash.digest('hex')) seen.wrong.push(`${before.id} was rewritten`)
}

/** Nothing while the session is not made yet. */
async function eventsOf(
  holdfast: Holdfast,
  id: string,
  range: { after: number; limit: number; through?: number },
) {
  try {
    const session = await holdfast.sessions.open(id)
    return (await session.events(range)).events
  } catch (error) {
    if (isHoldfastError(error, 'not_found')) return []
    throw error
  }
}
