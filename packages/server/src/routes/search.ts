/** Full-text search over everything the caller may see. */
import { HoldfastError, id, searchPage } from '@holdfast/protocol'
import { z } from 'zod'
import { maySee, requireOwnSession } from '../access/guard.ts'
import { page } from '../answer.ts'
import { limit, whole, word } from '../http/query.ts'
import { type Call, route } from '../route.ts'

export const searchRoutes = [
  route({
    method: 'GET',
    path: '/v1/search',
    summary: 'Events that hold all of the words, best first. A short page with `next` is legal',
    scope: 'read',
    reach: 'own',
    query: {
      q: word(z.string().min(1), 'the words'),
      sessionId: word(id, 'only in this session'),
      limit,
      after: whole('`next` of the page before'),
    },
    answer: searchPage,
    codes: ['not_found'],
    handle: async ({ query: { q, sessionId, limit, after }, credential, holdfast }) => {
      if (q === undefined) throw new HoldfastError('invalid_input', 'q: give the words to search for.')
      if (sessionId !== undefined) await requireOwnSession(credential, holdfast, sessionId)
      const { hits, next, behind } = await holdfast.search(q, {
        ...(sessionId !== undefined && { sessionId }),
        ...(limit !== undefined && { limit }),
        ...(after !== undefined && { offset: after }),
      })
      return page(await ownHits(hits, { credential, holdfast }), next, { behind })
    },
  }),
]

async function ownHits<H extends { sessionId: string }>(
  hits: readonly H[],
  { credential, holdfast }: Pick<Call, 'credential' | 'holdfast'>,
): Promise<H[]> {
  const seen = new Map<string, boolean>()
  for (const { sessionId } of hits) {
    if (!seen.has(sessionId)) seen.set(sessionId, await maySee(credential, holdfast, sessionId))
  }
  return hits.filter(({ sessionId }) => seen.get(sessionId))
}
