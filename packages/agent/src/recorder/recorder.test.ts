/** A recorder for any loop, on a SQLite file: told by hand what happens. */
import type { Holdfast } from '@holdfast/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RecorderOptions } from './options.ts'
import { recordTo } from './recorder.ts'
import { Place } from './testing/place.ts'

let place: Place
let holdfast: Holdfast
beforeEach(async () => {
  place = new Place()
  holdfast = await place.open()
})
afterEach(() => place[Symbol.asyncDispose]())

const makeSession = () => holdfast.sessions.create({ agentId: 'loop' })
type Session = Awaited<ReturnType<typeof makeSession>>

const recorderFor = (session: Pick<Session, 'id'>, options: RecorderOptions = {}) =>
  recordTo(holdfast.sessions.at(session.id), { clock: place.time, ttlMs: 60_000, ...options })

const look = (callId: string) => ({ type: 'tool_call' as const, callId, name: 'look', input: {} })
const text = (said: string) => ({ type: 'text' as const, text: said })
const usage = { promptTokens: 10, completionTokens: 5 }
const usages = async (session: Session) => (await holdfast.usage.list(session.id)).rows

async function typesOf(session: Session, skip = 0): Promise<string[]> {
  const { events } = await session.events()
  return events.slice(skip).map(({ type }) => type)
}

describe('a loop that tells its recorder', () => {
  it('leaves a turn with its rounds, calls, results and costs', async () => {
    const session = await makeSession()
    const recorder = recorderFor(session)
    await recorder.input('look at both')
    const first = await recorder.call({ providerId: 'acme', model: 'm1' })
    await first.answer({ parts: [look('a'), look('b')], usage })
    await recorder.result({ callId: 'b', output: 'green' })
    const second = await recorder.call({ providerId: 'acme', model: 'm1' }, [{ callId: 'a', output: 'red' }])
    second.text('red and ')
    second.text('green')
    await second.answer({ parts: [text('red and green')], usage: { ...usage, costMicrocents: 7 } })
    expect(await session.view()).toMatchObject({
      counters: { turnCount: 1, roundCount: 2, exchangeCount: 1, costMicrocents: 7, costUnknown: 1 },
      run: { state: 'completed' },
    })
    expect(await usages(session)).toMatchObject([{ model: 'm1', providerId: 'acme' }, { costMicrocents: 7 }])
    const { messages } = await session.messages()
    expect(messages.map(({ role, finish }) => [role, finish])).toEqual([
      ['user', undefined],
      ...[
        ['assistant', 'complete'],
        ...[
          ['tool', undefined],
          ['tool', undefined],
        ],
      ],
      ['assistant', 'complete'],
    ])
  })

  it('guesses what nobody counted, and says so', async () => {
    const session = await makeSession()
    const recorder = recorderFor(session, { countTokens: (counted) => counted.length })
    await recorder.input('hi')
    const call = await recorder.call({ prompt: () => 'four' })
    call.reasoning('hm')
    call.text('so')
    await call.answer({ parts: [text('so')] })
    const [row] = await usages(session)
    expect(row).toMatchObject({ promptTokens: 4, completionTokens: 4, reasoningTokens: 2, estimated: true })
  })

  it('prices its calls by the book that it was given', async () => {
    const session = await makeSession()
    const book = { prices: { 'acme/m1': { prompt: 1_000_000, completion: 2_000_000 } } }
    const prices = { name: 'mine', book }
    const recorder = recorderFor(session, { prices })
    await recorder.input('hi')
    await (await recorder.call({ providerId: 'acme', model: 'm1' })).answer({ parts: [text('a')], usage })
    await recorder.input('hi')
    await (await recorder.call({ providerId: 'acme', model: 'm2' })).answer({ parts: [text('a')], usage })
    expect(await usages(session)).toMatchObject([{ costMicrocents: 20 }, { costMicrocents: undefined }])
  })

  it('closes calls without a result before the model is called again', async () => {
    const session = await makeSession()
    const recorder = recorderFor(session)
    await recorder.input('look')
    await (await recorder.call()).answer({ parts: [look('a'), look('b')], usage })
    await (await recorder.call({}, [{ callId: 'a', output: 1 }])).answer({ parts: [text('so')], usage })
    const view = await session.providerView()
    expect(view.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool', 'assistant'])
    expect(view[3]?.parts).toMatchObject([{ callId: 'b', outcome: 'unknown' }])
  })

  it('ends the run before when the user speaks anew', async () => {
    const session = await makeSession()
    const recorder = recorderFor(session)
    await recorder.input('look')
    await (await recorder.call()).answer({ parts: [look('a')], usage })
    await recorder.input('never mind')
    await (await recorder.call()).answer({ parts: [text('fine')], usage })
    expect((await typesOf(session)).filter((type) => type === 'run.completed')).toHaveLength(2)
    expect(place.time.beating).toBe(0)
  })

  it('keeps a result that comes after its call was closed as a note, and takes one twice once', async () => {
    const session = await makeSession()
    const recorder = recorderFor(session)
    await recorder.input('look')
    await (await recorder.call()).answer({ parts: [look('a'), look('b')], usage })
    await recorder.result({ callId: 'b', output: 'green' })
    await recorder.result({ callId: 'b', output: 'red' })
    await recorder.cancel('enough')
    await recorder.result({ callId: 'a', output: 'late' })
    await recorder.result({ callId: 'nobody', output: 'stray' })
    const types = await typesOf(session)
    expect(types.slice(-2)).toEqual(['run.cancelled', 'note.added'])
    expect(types.filter((type) => type === 'tool.finished')).toHaveLength(2)
  })

  it('ends its run when it is disposed of', async () => {
    const session = await makeSession()
    {
      await using recorder = recorderFor(session)
      await recorder.input('hi')
      const call = await recorder.call()
      call.text('I was about')
    }
    expect(await session.view()).toMatchObject({ run: { state: 'cancelled' } })
    const [, partial] = (await session.messages()).messages
    expect(partial).toMatchObject({ finish: 'interrupted', parts: [{ text: 'I was about' }] })
  })

  it('says nothing for an answer without content, and the cost all the same', async () => {
    const session = await makeSession()
    const recorder = recorderFor(session)
    await recorder.input('hi')
    await (await recorder.call()).answer({ parts: [], usage })
    expect((await session.messages()).messages).toHaveLength(1)
    expect(await usages(session)).toHaveLength(1)
  })
})

describe('the lease of a recorded run', () => {
  it('is kept while the loop is heard of', async () => {
    const session = await makeSession()
    const recorder = recorderFor(session)
    await recorder.input('look')
    await (await recorder.call()).answer({ parts: [look('a')], usage })
    for (let i = 0; i < 5; i++) {
      place.time.advance(30_000)
      await place.time.beat()
    }
    expect((await session.view()).status).toBe('running')
    await (await recorder.call({}, [{ callId: 'a', output: 1 }])).answer({ parts: [text('so')], usage })
    expect((await session.view()).run).toMatchObject({ state: 'completed' })
  })

  it('goes when nothing is heard for too long: the run fails and its calls are closed', async () => {
    const session = await makeSession()
    const recorder = recorderFor(session, { idleMs: 100_000 })
    await recorder.input('look')
    await (await recorder.call()).answer({ parts: [look('a')], usage })
    for (let i = 0; i < 5; i++) {
      place.time.advance(30_000)
      await place.time.beat()
    }
    const { run, status } = await session.view()
    expect({ run, status }).toMatchObject({ run: { state: 'failed' }, status: 'idle' })
    expect(place.time.beating).toBe(0)
    await (await recorder.call({}, [{ callId: 'a', output: 'late' }])).answer({ parts: [text('so')], usage })
    expect(await typesOf(session)).toContain('note.added')
    expect((await session.view()).run).toMatchObject({ state: 'completed' })
  })

  it('goes in the middle of a call too, and an answer that comes then costs what it costs, and no more', async () => {
    const session = await makeSession()
    const recorder = recorderFor(session, { idleMs: 50_000 })
    await recorder.input('look')
    const call = await recorder.call()
    place.time.advance(50_000)
    await place.time.beat()
    const { seq } = await session.view()
    const late = call.answer({ parts: [look('a')], usage })
    await expect(late).rejects.toMatchObject({ code: 'no_live_run' })
    expect(await typesOf(session, seq)).toEqual(['usage.recorded'])
  })

  it('goes sooner after a failed try that nobody repeats, with its error', async () => {
    const session = await makeSession()
    const recorder = recorderFor(session)
    await recorder.input('hi')
    await (await recorder.call()).fail(new Error('too busy'), { retry: true })
    for (let i = 0; i < 3; i++) {
      place.time.advance(25_000)
      await place.time.beat()
    }
    expect((await session.view()).run).toMatchObject({ state: 'failed', error: 'too busy' })
  })

  it('is not asked for twice: a second loop is refused as long as the first one lives', async () => {
    const session = await makeSession()
    const first = recorderFor(session)
    await first.input('look')
    await first.call()
    const second = recorderFor(session, { owner: 'second' })
    await expect(second.input('me too')).rejects.toMatchObject({ code: 'run_live' })
    expect((await session.messages()).messages).toHaveLength(1)
  })

  it('passes to the next recorder of the process, unless a call of it is under way', async () => {
    const session = await makeSession()
    const [first, second] = [recorderFor(session), recorderFor(session)]
    await first.input('look')
    await (await first.call()).fail(new Error('too busy'), { retry: true })
    await second.input('look again')
    const call = await second.call()
    await expect(first.input('me too')).rejects.toMatchObject({ code: 'run_live' })
    await call.answer({ parts: [text('so')], usage })
    const ends = (await typesOf(session)).filter((type) => /^run\.(failed|completed)$/.test(type))
    expect(ends).toEqual(['run.failed', 'run.completed'])
  })

  it('is taken over when it is lost, and the first loop writes nothing more but what its call cost', async () => {
    const session = await makeSession()
    const first = recorderFor(session)
    await first.input('look')
    const call = await first.call()
    call.text('I was about')
    await new Promise((resolve) => setTimeout(resolve, 50))
    place.time.advance(60_001)
    const second = recorderFor(session, { owner: 'second' })
    await second.input('look')
    await (await second.call()).answer({ parts: [text('seen')], usage })
    const { seq } = await session.view()
    await expect(call.answer({ parts: [text('I was about to look')], usage })).rejects.toMatchObject({
      code: 'stale_epoch',
    })
    expect(await typesOf(session, seq)).toEqual(['usage.recorded'])
    expect((await session.messages()).messages.map(({ finish, parts }) => [finish, parts])).toMatchObject([
      [undefined, [text('look')]],
      ['interrupted', [text('I was about')]],
      [undefined, [text('look')]],
      ['complete', [text('seen')]],
    ])
    await (await first.call()).answer({ parts: [text('again')], usage })
    expect((await session.view()).run).toMatchObject({ state: 'completed' })
  })
})

describe('a turn that is recorded when it is over', () => {
  const turn = {
    runId: 'turn-1',
    input: [{ role: 'user' as const, parts: [text('look')] }],
    rounds: [
      { parts: [look('a'), look('b')], usage, results: [{ callId: 'a', output: 'green' }] },
      { parts: [text('green')], usage, model: 'm1' },
    ],
  }

  it('is one commit, without a lease, and whole', async () => {
    const session = await makeSession()
    await recorderFor(session).recordTurn(turn)
    const { events } = await session.events()
    expect(events.map(({ type }) => type).filter((type) => type.startsWith('lease'))).toEqual([])
    expect(await session.view()).toMatchObject({ counters: { turnCount: 1, roundCount: 2, messageCount: 5 } })
    expect((await usages(session)).map(({ attemptId }) => attemptId)).toEqual(['turn-1.1', 'turn-1.2'])
    expect((await session.providerView())[3]?.parts).toMatchObject([{ callId: 'b', outcome: 'unknown' }])
  })

  it('is not recorded twice under one id', async () => {
    const session = await makeSession()
    const recorder = recorderFor(session)
    await recorder.recordTurn(turn)
    await expect(recorder.recordTurn(turn)).rejects.toMatchObject({ code: 'duplicate_id' })
    await recorder.recordTurn({ input: turn.input, rounds: [], error: 'it fell over' })
    expect((await session.view()).run).toMatchObject({ state: 'failed', error: 'it fell over' })
  })
})
