/** A server as a place to work on: its answers in the shapes that the log itself gives. */
import type {
  HoldfastClient,
  SessionFilters as ServedFilters,
  Followed as ServedItem,
} from '@holdfast/client'
import type { Followed, FollowOptions, MessagePageOptions, SessionFilters } from '@holdfast/core'
import { FollowedEvent } from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'
import type { Place, PlaceSession } from './place.ts'

export function servedPlace(client: HoldfastClient): Place {
  return {
    sessions: servedSessions(client),
    usage: {
      async rollUp({ by, where = {}, ...rest }) {
        const { data, next } = await client.rollUp({ ...(by && { by }), ...where, ...rest })
        return { groups: data, ...(next !== null && { next }) }
      },
      async list(sessionId, { after, limit }) {
        const { data, next } = await client.sessions.usage(sessionId, { after: String(after), limit })
        return { rows: data, ...(next !== null && { next: Number(next) }) }
      },
    },
    priceBooks: {
      async current() {
        const { priceBookId } = await client.currentPriceBook()
        return priceBookId === null ? undefined : client.priceBooks.get(priceBookId)
      },
    },
    async search(query, { offset = 0, ...options } = {}) {
      const { data, next, behind } = await client.search(query, { ...options, after: String(offset) })
      return { hits: data, behind, ...(next !== null && { next: Number(next) }) }
    },
    async prune({ filter, ...options }) {
      const { next, damaged, finalAt, ...pruned } = await client.prune({
        ...options,
        ...(filter && { filter: servedFilters(filter) }),
      })
      return {
        ...pruned,
        ...(damaged && { damaged }),
        ...(finalAt !== undefined && { finalAt }),
        ...(next !== null && { next }),
      }
    },
    eraseUser: (userId, why) => client.eraseUser(userId, why),
    scrub: () => client.scrub(),
  }
}

function servedSessions(client: HoldfastClient): Place['sessions'] {
  const { sessions } = client
  return {
    async list(filters = {}, options) {
      const { data, next, damaged } = await sessions.list(servedFilters(filters), options)
      return { sessions: data, ...(damaged && { damaged }), ...(next !== null && { next }) }
    },
    get: (id) => unlessMissing(sessions.get(id)),
    tree: (id) => sessions.tree(id),
    async open(id) {
      await sessions.get(id)
      return servedSession(client, id)
    },
    at: (id) => ({
      async close(how) {
        await sessions.close(id, how)
        return servedSession(client, id)
      },
    }),
    delete: (id, how) => sessions.delete(id, how),
    erase: (id, seqs, why) => sessions.erase(id, seqs, why),
    eraseMessage: (id, messageId, why) => sessions.eraseMessage(id, messageId, why),
  }
}

function servedFilters({ status, ...filters }: SessionFilters): ServedFilters {
  return {
    ...filters,
    ...(status !== undefined && { status: typeof status === 'string' ? [status] : status }),
  }
}

function servedSession(client: HoldfastClient, id: string): PlaceSession {
  const { sessions } = client
  return {
    id,
    view: () => sessions.get(id),
    async events({ after = 0, through = Number.POSITIVE_INFINITY, limit } = {}) {
      const page = await sessions.events(id, {
        after: String(after),
        ...(limit !== undefined && { limit }),
      })
      const events = page.data.filter(({ seq }) => seq <= through)
      return { events, more: page.next !== null && events.length === page.data.length }
    },
    async eventTexts({ after = 0, limit } = {}) {
      const page = await sessions.eventTexts(id, {
        after: String(after),
        ...(limit !== undefined && { limit }),
      })
      return { texts: page.data, more: page.next !== null }
    },
    getAttachment: (hash) => unlessMissing(sessions.getAttachment(id, hash)),
    async messages(options: MessagePageOptions = {}) {
      const { data, older, next } = await sessions.messages(id, options)
      return { messages: data, ...(older !== null && { older }), newer: next }
    },
    async *follow({ after, signal }: FollowOptions = {}) {
      const terms = { ...(after !== undefined && { after }), ...(signal && { signal }) }
      yield* servedItems(sessions.follow(id, terms))
    },
    compare: (other) => sessions.compare(id, typeof other === 'string' ? other : other.id),
    async fork(input, { atSeq }) {
      const fork = await sessions.fork(id, { ...input, ...(atSeq !== undefined && { atSeq }) })
      return servedSession(client, fork.id)
    },
  }
}

/** What a client follows, as the log gives it. */
export async function* servedItems(items: AsyncIterable<ServedItem>): AsyncGenerator<Followed, void, void> {
  for await (const item of items) {
    if (item.type !== 'event') yield item
    else {
      const { seq, type } = item.event
      yield new FollowedEvent(seq, type, JSON.stringify(item.event), item.cursor)
    }
  }
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (isHoldfastError(error, 'not_found')) return undefined
    throw error
  }
}
