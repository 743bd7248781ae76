/** A process that has just started: imports, opens the file, opens a session, reads its last messages. */
import { createRequire } from 'node:module'
import type { Built } from '../lib/built.ts'
import { serve } from '../lib/child.ts'
import { median } from '../lib/measure.ts'

export interface OpenJob {
  contender: 'by hand' | 'store' | 'holdfast'
  path: string
  sessionId: string
  built: Built
  /** Where better-sqlite3 is found from. */
  modules: string
}

export interface Opened {
  importMs: number
  resumeMs: number
  /** Median of more resumes by the same process. */
  againMs: number
}

const page = 50
const resumesAgain = 50
const defaultTenant = 'default'

/** Each gives its imports, and then the way to resume. */
const ways = { 'by hand': byHand, store: byStore, holdfast: byHoldfast }

await serve(async (job: OpenJob) => async (): Promise<Opened> => {
  const start = performance.now()
  const resume = await ways[job.contender](job)
  const importMs = performance.now() - start
  const resumeMs = await msOf(resume)
  const again: number[] = []
  while (again.length < resumesAgain) again.push(await msOf(resume))
  return { importMs, resumeMs, againMs: median(again) }
})

/** Gives the way to close it again. */
type Resume = () => Promise<() => unknown>

async function msOf(resume: Resume): Promise<number> {
  const start = performance.now()
  const close = await resume()
  const took = performance.now() - start
  await close()
  return took
}

/** A page of nothing would be fast. */
function requirePage(rows: readonly unknown[]): void {
  if (rows.length === 0) throw new Error('nothing was found')
}

async function byHand({ path, sessionId, modules }: OpenJob): Promise<Resume> {
  const Database = createRequire(modules)('better-sqlite3') as typeof import('better-sqlite3')
  return async () => {
    const db = new Database(path)
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    const last = db.prepare('SELECT seq, body FROM messages WHERE session = ? ORDER BY seq DESC LIMIT ?')
    const rows = last.all(sessionId, page) as { body: string }[]
    requirePage(rows.map(({ body }) => JSON.parse(body)))
    return () => db.close()
  }
}

async function byStore({ path, sessionId, built }: OpenJob): Promise<Resume> {
  const { sqlite } = (await import(built.sqlite)) as typeof import('@holdfast/core/sqlite')
  await import('node:sqlite')
  return async () => {
    const store = await sqlite(path).open({})
    const range = { direction: 'backward', limit: page, maxBytes: 2 ** 20 } as const
    const rows = await store.readEvents(defaultTenant as never, sessionId, range)
    requirePage(rows.map(({ body }) => JSON.parse(body)))
    return () => store.close()
  }
}

async function byHoldfast({ path, sessionId, built }: OpenJob): Promise<Resume> {
  const { openHoldfast } = (await import(built.core)) as typeof import('@holdfast/core')
  const { sqlite } = (await import(built.sqlite)) as typeof import('@holdfast/core/sqlite')
  await import('node:sqlite')
  return async () => {
    const holdfast = await openHoldfast({ store: sqlite(path) })
    const session = await holdfast.sessions.open(sessionId)
    const { messages } = await session.messages({ limit: page })
    requirePage(messages)
    return () => holdfast.close()
  }
}
