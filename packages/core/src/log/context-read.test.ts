import { expect, it } from 'vitest'
import { providerView } from '../context/provider-view.ts'
import { contextView, viewStateOf } from '../context/view.ts'
import type { FoldEvent } from '../session/state.ts'
import type { Store } from '../store/store.ts'
import { LogReads } from './log-reads.ts'
import { withMembers } from './testing/between.ts'
import { eachStore } from './testing/each-store.ts'
import { assistant, calling, result, textsOf, user } from './testing/messages.ts'
import { upcasters } from './upcast.ts'

const compaction = (from: number, to: number) => ({
  record: {
    compactionId: 'c1',
    trigger: 'manual' as const,
    from,
    to,
    messagesCovered: 2,
    tokensBefore: 100,
    tokensAfter: 10,
  },
  pathSeq: 0,
  summary: 'the code is 42',
  summaryTokens: 5,
})

eachStore('the provider view after a compaction', (place) => {
  it('keeps the summary when the path is cut between the summarised messages and the compaction', async () => {
    const { sessions } = await place.open()
    const cuts = {
      truncate: async (session: Session, keep: number) => session.truncate(keep),
      undo: async (session: Session) => session.undo(),
      edit: async (session: Session) => session.edit('third', user('d')),
    }
    type Session = Awaited<ReturnType<typeof make>>['session']
    const make = async () => {
      const session = await (await sessions.create({ agentId: 'agent' })).activate()
      const { messages } = await session.append([
        user('the code is 42'),
        assistant('noted'),
        user('b'),
        assistant('c'),
      ])
      const keep = (await session.view()).seq
      await session.append([user('d', { id: 'third' }), assistant('e')])
      const [from, to] = messages.map(({ seq }) => seq) as [number, number]
      await session.compact(compaction(from, to))
      return { session, keep }
    }
    for (const cut of Object.values(cuts)) {
      const { session, keep } = await make()
      await cut(session, keep)
      const texts = textsOf(await session.providerView())
      expect(texts.slice(0, 3)).toEqual([expect.stringContaining('the code is 42'), 'b', 'c'])
      expect(texts).not.toContain('noted')
      const fork = await session.fork({})
      expect(textsOf(await fork.providerView())).toEqual(texts)
    }
  })
})

eachStore('the provider view of a covered history', (place) => {
  it('reads what it shows, and is the same as one made of the whole log', async () => {
    let rows = 0
    const wrap = (store: Store) =>
      withMembers(store, {
        readEvents: async (...asked) => {
          const page = await store.readEvents(...asked)
          rows += page.length
          return page
        },
      })
    const holdfast = await place.open({ wrap })
    const session = await (await holdfast.sessions.create({ agentId: 'agent' })).activate()
    const first = (await session.append({ role: 'system', parts: [{ type: 'text', text: 'rules' }] }))
      .firstSeq
    for (let n = 0; n < 200; n++) await session.append([user(`q${n}`), assistant(`a${n}`)])
    await session.append({ ...calling('c1', 'c2'), neverCompress: true })
    await session.append([result('c1'), result('c2')])
    const run = await session.startRun({ owner: 'worker', ttlMs: 10_000 })
    await session.append(user('pinned, and waits', { neverCompress: true, id: 'pinned' }))
    await session.append(user('waits beyond the range'))
    await run.append(assistant('in the run'))
    await run.complete()
    const { seq } = await session.view()
    // The last delivery is left outside of what is covered.
    await session.compact(compaction(first as number, seq - 1))
    await session.append([user('after'), calling('c1'), result('c1', 'again')])

    rows = 0
    const view = await session.providerView()
    expect(rows).toBeLessThan(60)
    expect(view.map(({ role, parts: [part] }) => (part?.type === 'text' ? part.text : role))).toEqual([
      expect.stringContaining('the code is 42'),
      'rules',
      'assistant',
      'tool',
      'tool',
      'pinned, and waits',
      'waits beyond the range',
      'after',
      'assistant',
      'tool',
    ])
    const { seq: end } = await session.view()
    const { pathSeq, uncovered, overlays } = await session.contextState()
    expect(overlays).toMatchObject([{ from: first, to: seq - 1, seq: pathSeq }])
    expect(uncovered).toEqual([
      { from: 1, to: (first as number) - 1 },
      { from: seq, to: end },
    ])
    const { events } = await session.events({ limit: 1_000 })
    const store = await place.openStore()
    if (place.path === undefined) return
    const reads = new LogReads(store, holdfast.tenantId, upcasters)
    const { state } = await reads.requireState(session.id)
    expect(view).toEqual(providerView(contextView(events as FoldEvent[], viewStateOf(state))))
  })
})

eachStore('a result that is never compressed', (place) => {
  it.each(['append', 'finishTool', 'batch'] as const)(
    'stands beside the summary with its call and what else that call answered, given with %s',
    async (way) => {
      const { sessions } = await place.open()
      const session = await (await sessions.create({ agentId: 'agent' })).activate()
      const { firstSeq } = await session.append(user('look twice'))
      const run = await session.startRun({ owner: 'worker', ttlMs: 10_000 })
      await run.append([calling('c1', 'c2'), result('c1')])
      const pinned = { callId: 'c2', output: 'the code is 42', neverCompress: true }
      if (way === 'append') await run.append({ ...result('c2', pinned.output), neverCompress: true })
      else if (way === 'finishTool') await run.finishTool(pinned)
      else await run.batch([{ type: 'finishTool', ...pinned }])
      await run.append(assistant('seen'))
      await run.complete()
      const { messages } = await session.messages({})
      expect(messages.map(({ neverCompress }) => neverCompress)).toEqual([
        undefined,
        undefined,
        undefined,
        true,
        undefined,
      ])
      const { seq } = await session.view()
      await session.compact(compaction(firstSeq as number, seq))
      expect((await session.providerView()).map(({ role }) => role)).toEqual([
        'user',
        'assistant',
        'tool',
        'tool',
      ])
    },
  )
})
