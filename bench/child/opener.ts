/** A process that has just started: imports, opens the file, opens a session, reads its last messages. */
import { createRequire } from 'node:module'
import type { Built } from '../lib/built.ts'
import { serve } from '../lib/child.ts'

export interface OpenJob {
  contender: 'by hand' | 'store' | 'holdfast'
  path: string
  sessionId: string
  built: Built
}

export interface Opened {
  importMs: number
  resumeMs: number
  found: number
}

const page = 50
const defaultTenant = 'default'

/** Each gives its imports, and then the way to resume. */
const ways = { 'by hand': byHand, store: byStore, holdfast: byHoldfast }

await serve(async (job: OpenJob) => async (): Promise<Opened> => {
  const start = performance.now()
  const resume = await ways[job.contender](job)
  const imported = performance.now()
  const found = await resume()
  const resumed = performance.now()
  return { importMs: imported - start, resumeMs: resumed - imported, found }
})

async function byHand({ path, sessionId }: OpenJob): Promise<() => Promise<number>> {
  const Database = createRequire(import.meta.url)('better-sqlite3') as typeof import('better-sqlite3')
  return async () => {
    const db = new Database(path)
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    const last = db.prepare('SELECT seq, body FROM messages WHERE session = ? ORDER BY seq DESC LIMIT ?')
    const rows = last.all(sessionId, page) as { body: string }[]
    return rows.map(({ body }) => JSON.parse(body)).length
  }
}

async function byStore({ path, sessionId, built }: OpenJob): Promise<() => Promise<number>> {
  const { sqlite } = (await import(built.sqlite)) as typeof import('@holdfast/core/sqlite')
  await import('node:sqlite')
  return async () => {
    const store = await sqlite(path).open({})
    const range = { direction: 'backward', limit: page, maxBytes: 2 ** 20 } as const
    const rows = await store.readEvents(defaultTenant as never, sessionId, range)
    return rows.map(({ body }) => JSON.parse(body)).length
  }
}

async function byHoldfast({ path, sessionId, built }: OpenJob): Promise<() => Promise<number>> {
  const { openHoldfast } = (await import(built.core)) as typeof import('@holdfast/core')
  const { sqlite } = (await import(built.sqlite)) as typeof import('@holdfast/core/sqlite')
  await import('node:sqlite')
  return async () => {
    const holdfast = await openHoldfast({ store: sqlite(path) })
    const session = await holdfast.sessions.open(sessionId)
    const { messages } = await session.messages({ limit: page })
    return messages.length
  }
}
