import { limits } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { EventPageOptions } from './session-read.ts'
import type { AnySession } from './session-types.ts'
import { eachStore } from './testing/each-store.ts'
import { user } from './testing/messages.ts'

/** Numbers of the events of each page, from the first event on. */
async function pagesOf(session: AnySession, options: EventPageOptions): Promise<number[][]> {
  const pages: number[][] = []
  for (;;) {
    const { texts, more } = await session.eventTexts({ after: pages.at(-1)?.at(-1) ?? 0, ...options })
    pages.push(texts.map(({ seq }) => seq))
    if (!more) return pages
  }
}

eachStore('a page of events', (place) => {
  it('ends by its bytes, and says that there is more however large the next event is', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    await session.append([user('a'), user('b'), user('x'.repeat(50_000)), user('c')])
    expect(await pagesOf(session, { maxBytes: limits.pageBytes * 2 })).toEqual([[1, 2, 3, 4, 5, 6]])
    expect(await pagesOf(session, { maxBytes: 49_000 })).toEqual([[1, 2, 3, 4], [5], [6]])
    expect(await pagesOf(session, { maxBytes: 1 })).toEqual([[1], [2], [3], [4], [5], [6]])
  })

  it('needs a whole number of bytes', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    for (const maxBytes of [0, -1, 1.5, Number.NaN]) {
      await expect(session.events({ maxBytes })).rejects.toMatchObject({ code: 'invalid_input' })
    }
  })
})
