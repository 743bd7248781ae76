import { expect, it } from 'vitest'
import type { Store } from '../store/store.ts'
import { withMembers } from './testing/between.ts'
import { eachStore } from './testing/each-store.ts'
import { assistant, user } from './testing/messages.ts'

eachStore('records', (place) => {
  it('are put, read and listed, each kind by its schema', async () => {
    const { agents, participants, priceBooks } = await place.open()
    expect(await agents.put('helper', { name: 'Helper', model: 'm' })).toMatchObject({ version: 1 })
    expect(await agents.put('helper', { name: 'Helper 2' })).toMatchObject({
      version: 2,
      body: { name: 'Helper 2' },
    })
    await expect(agents.put('helper', { name: 'X' }, { expectedVersion: 1 })).rejects.toMatchObject({
      code: 'version_conflict',
      details: { version: 2 },
    })
    await expect(agents.put('x', { nme: 'x' } as never)).rejects.toMatchObject({ code: 'invalid_input' })
    for (const id of ['p3', 'p1', 'p2']) {
      await participants.put(id, { conversationId: id === 'p3' ? 'c2' : 'c1', kind: 'user' })
    }
    expect((await participants.list({ group: 'c1' })).records.map(({ id }) => id)).toEqual(['p1', 'p2'])
    const first = await participants.list({ limit: 2 })
    expect(first.next).toBe('p2')
    expect((await participants.list({ after: first.next as string })).records.map(({ id }) => id)).toEqual([
      'p3',
    ])
    await priceBooks.put('2026-01', { prices: { 'maker/model': { prompt: 1, completion: 2 } } })
    expect(await agents.get('nobody')).toBeUndefined()
  })

  it('that are immutable are never changed, and putting the same again is none', async () => {
    const { seeds } = await place.open()
    await seeds.put('s1', { goal: 'win' })
    expect(await seeds.put('s1', { goal: 'win' })).toMatchObject({ version: 1 })
    await expect(seeds.put('s1', { goal: 'lose' })).rejects.toMatchObject({ code: 'id_taken' })
  })

  it('give a session its model and are kept in it as they were', async () => {
    const { sessions, agents, personas } = await place.open()
    await agents.put('helper', { name: 'Helper', model: 'maker/model/large', reasoningEffort: 'high' })
    await personas.put('p1', { name: 'Kind' })
    const session = await sessions.create({ agentId: 'helper' })
    expect(await session.view()).toMatchObject({
      providerId: 'maker',
      model: 'model/large',
      reasoningEffort: 'high',
    })
    await session.setPersona('p1')
    expect((await session.view()).personaId).toBe('p1')
    await expect(session.setSeed('none')).rejects.toMatchObject({ code: 'not_found' })
  })
})

eachStore('search', (place) => {
  it('finds an event by its words, in this tenant only', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    await session.append([user('the quick brown fox'), assistant('jumps over the lazy dog')])
    const page = await holdfast.search('lazy DOG')
    expect(page).toMatchObject({ hits: [{ sessionId: session.id, seq: 4 }], behind: false })
    expect((await holdfast.search('fox dog')).hits).toEqual([])
    expect((await holdfast.forTenant('other').search('fox')).hits).toEqual([])
    await expect(holdfast.search('  ')).rejects.toMatchObject({ code: 'invalid_input' })
    await session.append(Array.from({ length: 5 }, () => user('fox again')))
    const first = await holdfast.search('fox', { limit: 4 })
    expect([first.hits.length, first.next]).toEqual([4, 4])
    expect((await holdfast.search('fox', { limit: 4, offset: 4 })).hits).toHaveLength(2)
  })
})

eachStore('the ledger', (place) => {
  it('sums the rows of a session, a tree and the tenant, and pages them', async () => {
    const { sessions, usage } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    for (let n = 0; n < 5; n++) {
      const cost = n === 4 ? {} : { costMicrocents: 10, costSource: 'provider' }
      await session.recordUsage({ attemptId: `a${n}`, promptTokens: 10, completionTokens: 1, ...cost })
    }
    const sum = { rows: 5, promptTokens: 50, costMicrocents: 40, costUnknown: 1 }
    for (const scope of [{ sessionId: session.id }, { rootSessionId: session.id }, {}]) {
      expect(await usage.totals(scope)).toMatchObject(sum)
    }
    expect((await session.view()).counters).toMatchObject({
      promptTokens: 50,
      costMicrocents: 40,
      costUnknown: 1,
    })
    const first = await usage.list(session.id, { limit: 3 })
    const rest = await usage.list(session.id, { after: first.next as number })
    expect([...first.rows, ...rest.rows].map(({ attemptId }) => attemptId)).toEqual([
      'a0',
      'a1',
      'a2',
      'a3',
      'a4',
    ])
    await session.close()
    await session.recordUsage({ attemptId: 'late', promptTokens: 1, completionTokens: 0 })
    expect((await usage.totals()).rows).toBe(6)
  })
})

eachStore('files and checkpoints', (place) => {
  it('keep an attachment with the event that names it, for forks too', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const bytes = new TextEncoder().encode('a picture')
    const reference = await session.putAttachment({ bytes, mediaType: 'image/png', name: 'p.png' })
    await session.append({ role: 'user', parts: [{ type: 'image', ...reference }] })
    expect(await session.getAttachment(reference.hash)).toEqual(bytes)
    const fork = await session.fork()
    expect(await fork.getAttachment(reference.hash)).toEqual(bytes)
    const other = await sessions.create({ agentId: 'agent' })
    expect(await other.getAttachment(reference.hash)).toBeUndefined()
  })

  it('are saved once under a key, which stands for no other channels', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const save = (n: number) => session.putCheckpoint({ channels: { n } }, { key: 'k' })
    const first = await save(1)
    expect(await save(1)).toEqual({ ...first, replayed: true })
    await expect(save(2)).rejects.toMatchObject({ code: 'key_conflict' })
    expect(await session.getCheckpoint()).toMatchObject({ channels: { n: 1 } })
  })

  it('are no newer for being saved again under their key', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const save = (n: number, checkpointId?: string) =>
      session.putCheckpoint({ channels: { n }, ...(checkpointId && { checkpointId }) }, { key: `k${n}` })
    const first = await save(1)
    await save(2)
    expect(await save(1)).toEqual({ ...first, replayed: true })
    expect(await session.getCheckpoint()).toMatchObject({ channels: { n: 2 } })
    await save(3, 'same')
    await save(4, 'same')
    await save(3, 'same')
    expect(await session.getCheckpoint()).toMatchObject({ checkpointId: 'same', channels: { n: 4 } })
  })

  it('have the place of their event when a crash came before they were there', async () => {
    const crash = { at: '' }
    const wrap = (store: Store) =>
      withMembers(store, {
        putCheckpoint: async (write: Parameters<Store['putCheckpoint']>[0]) => {
          if (write.checkpointId === crash.at) throw new Error('the process ended')
          await store.putCheckpoint(write)
        },
      })
    const { sessions } = await place.open({ wrap })
    const session = await sessions.create({ agentId: 'agent' })
    const save = (checkpointId: string) =>
      session.putCheckpoint({ checkpointId, channels: { name: checkpointId } }, { key: checkpointId })
    await save('one')
    crash.at = 'two'
    await expect(save('two')).rejects.toThrow('the process ended')
    await save('three')
    crash.at = 'four'
    await expect(save('four')).rejects.toThrow('the process ended')
    crash.at = ''
    const newest = async () => (await session.getCheckpoint())?.checkpointId
    await save('two')
    expect(await newest()).toBe('three')
    await save('four')
    expect(await newest()).toBe('four')
    for (const name of ['one', 'two', 'three', 'four'])
      expect(await session.getCheckpoint({ checkpointId: name })).toMatchObject({ channels: { name } })
  })

  it('keep checkpoints by thread, the newest first', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent', threadId: 't' })
    await session.putCheckpoint({ checkpointId: 'c1', channels: { messages: ['a'], state: { n: 1 } } })
    await session.putCheckpoint({
      checkpointId: 'c2',
      parentId: 'c1',
      channels: { messages: ['a'], state: { n: 2 } },
    })
    expect(await session.getCheckpoint()).toMatchObject({
      checkpointId: 'c2',
      parentId: 'c1',
      channels: { messages: ['a'], state: { n: 2 } },
    })
    expect(await session.getCheckpoint({ checkpointId: 'c1' })).toMatchObject({
      channels: { state: { n: 1 } },
    })
    expect(await session.getCheckpoint({ namespace: 'sub' })).toBeUndefined()
  })
})

eachStore('work', (place) => {
  it('keeps tasks, budget, prompt and instructions beside the messages', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.setTasks({ items: [{ id: 't1', description: 'build', completionCriteria: ['it runs'] }] })
    expect(await session.updateTask({ itemId: 't1', status: 'completed' })).toMatchObject({
      status: 'in_progress',
    })
    expect(await session.updateTask({ itemId: 't1', status: 'completed', criteriaMet: ['1'] })).toMatchObject(
      { status: 'completed' },
    )
    await expect(session.updateTask({ itemId: 't9' })).rejects.toMatchObject({ code: 'no_such_task' })
    await session.setBudget({ maxContextTokens: 1_000 })
    await session.setPrompt({ sections: [{ name: 'a', text: 'b' }], effectiveText: 'b' })
    await session.setInstructions('be brief')
    await session.setEffort('low')
    expect(await session.view()).toMatchObject({
      budget: { maxContextTokens: 1_000 },
      promptSnapshot: { effectiveText: 'b' },
      compressionInstructions: 'be brief',
      reasoningEffort: 'low',
      taskList: { items: [{ status: 'completed' }] },
    })
    await expect(session.patchMetadata({ x: 'y'.repeat(20_000) })).rejects.toMatchObject({
      code: 'limit_exceeded',
    })
    await expect(session.patchMetadata(JSON.parse('{"constructor": 1}'))).rejects.toMatchObject({
      code: 'invalid_input',
    })
  })
})
