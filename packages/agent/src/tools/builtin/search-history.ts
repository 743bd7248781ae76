import { type SessionEvent, utf8Bytes } from '@holdfast/protocol'
import { z } from 'zod'
import { defineTool } from '../../define/tool.ts'

const shownBytes = 4_000

/** Lets a model read what its context does not show any more: everything that was ever said and done in the session. */
export const searchHistory = defineTool({
  name: 'search_history',
  description:
    'Searches everything that was said and done in this session, also what the context no longer shows. Give words to find, or `seq` to read one place in full.',
  input: z.object({
    query: z.string().min(1).max(500).optional(),
    seq: z.int().min(1).optional(),
    limit: z.int().min(1).max(20).optional(),
  }),
  idempotent: true,
  execute: async ({ query, seq, limit = 8 }, { session, holdfast, sessionId }) => {
    if (seq !== undefined) {
      const { events } = await session.events({ after: seq - 1, through: seq, limit: 1 })
      return events.map(({ type, at, data }) => ({ seq, type, at, data }))
    }
    if (query === undefined) throw new Error('give words to find, or a seq')
    const { hits } = await holdfast.search(query, { sessionId, limit })
    const found = await Promise.all(
      hits.map(async (hit) => {
        const { events } = await session.events({ after: hit.seq - 1, through: hit.seq, limit: 1 })
        return events.map(shown)
      }),
    )
    return found.flat()
  },
})

function shown({ seq, type, at, data }: SessionEvent): object {
  const text = JSON.stringify(data)
  const isLong = utf8Bytes(text) > shownBytes
  return { seq, type, at, ...(isLong ? { beginning: text.slice(0, shownBytes).toWellFormed() } : { data }) }
}
