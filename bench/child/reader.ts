/** Opens a long session, reads its end, appends to it and pages through all of it; tells the memory it took. */
import type { Built } from '../lib/built.ts'
import { serve } from '../lib/child.ts'

export interface ReadJob {
  path: string
  sessionId: string
  built: Built
  /** Turns to append. */
  turns: number
}

export interface Read {
  /** Bytes of resident memory at the most, so far. */
  steps: { step: string; peak: number; seconds: number }[]
  events: number
}

/** Of the read of all: as an export takes them. */
const page = { limit: 50, maxBytes: 256 * 1024 }

const text = 'x'.repeat(1024)
const turn = [
  { role: 'user' as const, parts: [{ type: 'text' as const, text }] },
  { role: 'assistant' as const, parts: [{ type: 'text' as const, text }] },
]

await serve(async ({ path, sessionId, built, turns }: ReadJob) => async (): Promise<Read> => {
  const steps: Read['steps'] = []
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now()
    const result = await work()
    const peak = process.resourceUsage().maxRSS * 1024
    steps.push({ step: name, peak, seconds: (performance.now() - start) / 1_000 })
    return result
  }
  const { openHoldfast, sqlite } = await step('packages imported', async () => ({
    ...((await import(built.core)) as typeof import('@holdfast/core')),
    ...((await import(built.sqlite)) as typeof import('@holdfast/core/sqlite')),
  }))
  const holdfast = await openHoldfast({ store: sqlite(path) })
  const session = await step('opened', () => holdfast.sessions.open(sessionId))
  await step('last 50 read', () => session.messages({ limit: 50 }))
  if (session.lifecycle === 'closed' || session.lifecycle === 'expired')
    throw new Error('the session has ended')
  const { append } = session
  await step('appended to', async () => {
    for (let n = 0; n < turns; n++) await append.call(session, turn)
  })
  const events = await step('all events read, page by page', async () => {
    let seen = 0
    for (;;) {
      const { texts, more } = await session.eventTexts({ after: seen, ...page })
      seen = texts.at(-1)?.seq ?? seen
      if (!more) return seen
    }
  })
  await holdfast.close()
  return { steps, events }
})
