/** A server as a place to read from: its answers in the shapes that the log itself gives. */
import type { HoldfastClient } from '@holdfast/client'
import type { FollowOptions, MessagePageOptions } from '@holdfast/core'
import { FollowedEvent } from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'
import type { Reader, ReadSession } from './reader.ts'

export function servedReader(client: HoldfastClient): Reader {
  return {
    sessions: {
      async list({ status, ...filters } = {}, options) {
        const { data, next, damaged } = await client.sessions.list(
          {
            ...filters,
            ...(status !== undefined && { status: typeof status === 'string' ? [status] : status }),
          },
          options,
        )
        return { sessions: data, ...(damaged && { damaged }), ...(next !== null && { next }) }
      },
      get: (id) => unlessMissing(client.sessions.get(id)),
      tree: (id) => client.sessions.tree(id),
      async open(id) {
        await client.sessions.get(id)
        return servedSession(client, id)
      },
    },
    usage: {
      async rollUp({ by, where = {}, ...rest }) {
        const { data, next } = await client.rollUp({ ...(by && { by }), ...where, ...rest })
        return { groups: data, ...(next !== null && { next }) }
      },
    },
    async search(query, { offset = 0, ...options } = {}) {
      const { data, next, behind } = await client.search(query, { ...options, after: String(offset) })
      return { hits: data, behind, ...(next !== null && { next: Number(next) }) }
    },
  }
}

function servedSession(client: HoldfastClient, id: string): ReadSession {
  return {
    id,
    view: () => client.sessions.get(id),
    async events({ after = 0, through = Number.POSITIVE_INFINITY, limit } = {}) {
      const page = await client.sessions.events(id, {
        after: String(after),
        ...(limit !== undefined && { limit }),
      })
      const events = page.data.filter(({ seq }) => seq <= through)
      return { events, more: page.next !== null && events.length === page.data.length }
    },
    async messages(options: MessagePageOptions = {}) {
      const { data, older, next } = await client.sessions.messages(id, options)
      return { messages: data, ...(older !== null && { older }), newer: next }
    },
    async *follow({ after, signal }: FollowOptions = {}) {
      const terms = { ...(after !== undefined && { after }), ...(signal && { signal }) }
      for await (const item of client.sessions.follow(id, terms)) {
        if (item.type !== 'event') yield item
        else {
          const { seq, type } = item.event
          yield new FollowedEvent(seq, type, JSON.stringify(item.event), item.cursor)
        }
      }
    },
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
