import { limits } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { RunningRun } from './run-types.ts'
import type { ActiveSession } from './session-types.ts'
import { eachStore, type TestPlace } from './testing/each-store.ts'
import { assistant, calling, textsOf, user } from './testing/messages.ts'

const lease = { owner: 'worker', ttlMs: 10_000 }
const half = 'half an answer'

async function started(place: TestPlace, input: { ttlSecs?: number } = {}) {
  const holdfast = await place.open()
  const session = await (await holdfast.sessions.create({ agentId: 'agent', ...input })).activate()
  await session.append(user('go'))
  const run = await (await session.startRun(lease)).startRound()
  return { holdfast, session, run }
}

async function draftOf(run: RunningRun, text = half, draftId?: string) {
  const draft = run.draft(draftId)
  draft.write(text)
  await draft.flush()
  return draft
}

async function shown(session: Pick<ActiveSession, 'messages'>): Promise<string[]> {
  const { messages } = await session.messages()
  return messages.map((message) => `${textsOf([message])[0]} (${message.finish ?? message.role})`)
}

eachStore('a draft whose message is written', (place) => {
  it('takes no more text, and is not written again by a recovery', async () => {
    const { holdfast, session, run } = await started(place)
    const draft = run.draft('d1')
    draft.write('hello world')
    await run.append(assistant('hello world'), { draftId: 'd1' })
    expect(() => draft.write('!')).toThrow(expect.objectContaining({ code: 'draft_gap' }))
    await draft.flush()
    place.clock.advance(20_000)
    expect(await holdfast.sessions.recover(session.id)).toMatchObject({ recovered: true, keptDraft: false })
    expect(await shown(session)).toEqual(['go (user)', 'hello world (complete)'])
  })

  it('refuses the text of another writer of it', async () => {
    const { session, run } = await started(place)
    const other = await session.joinRun(run.epoch)
    const late = other.draft('d1')
    await run.append(assistant('hello world'), { draftId: 'd1' })
    late.write('hello world')
    await expect(late.flush()).rejects.toMatchObject({ code: 'draft_gap' })
  })

  it('goes on when its message was refused, and goes with the next', async () => {
    const { holdfast, session, run } = await started(place)
    const draft = await draftOf(run, 'hello ')
    await expect(run.append(assistant('hello', { replyTo: 'nosuch' }))).rejects.toMatchObject({
      code: 'invalid_input',
    })
    draft.write('world')
    await draft.flush()
    await run.append(assistant('hello world'))
    place.clock.advance(20_000)
    await holdfast.sessions.recover(session.id)
    expect(await shown(session)).toEqual(['go (user)', 'hello world (complete)'])
  })

  it('keeps the writes of its run in order while its last text is on its way', async () => {
    const { session, run } = await started(place)
    const draft = run.draft('d1')
    draft.write('let me look')
    const writes = [
      run.append(calling('a'), { draftId: 'd1' }),
      run.finishTool({ callId: 'a', output: 'seen' }),
      run.completeRound(),
      run.complete(),
    ]
    await Promise.all(writes)
    expect((await session.view()).run?.state).toBe('completed')
  })

  it('is left alone by what is not an answer', async () => {
    const { session, run } = await started(place)
    const draft = await draftOf(run, 'hello ')
    await run.append(user('a note to self'))
    draft.write('world')
    await draft.flush()
    await run.cancel()
    expect((await shown(session)).at(-1)).toBe('hello world (interrupted)')
  })
})

eachStore('a draft at the end of its run', (place) => {
  const ends: Record<string, (run: RunningRun, session: ActiveSession) => Promise<unknown>> = {
    cancelled: (run) => run.cancel('stopped'),
    failed: (run) => run.fail('broken'),
    'closed with its session': (_run, session) => session.close({ cancel: true }),
    'suspended and cancelled': async (run, session) => {
      await run.suspend('approval')
      await session.cancelRun()
    },
    'suspended and stopped': async (run, session) => {
      await run.suspend('approval')
      await session.stopRun()
    },
    'suspended and interrupted': async (run, session) => {
      await run.suspend('approval')
      const { messages } = await session.append(user('stop'), { policy: 'interrupt' })
      expect(messages).toHaveLength(2)
      await session.undo()
    },
    'cancelled in a batch': (run) => run.batch([{ type: 'cancelRun' }]),
  }

  for (const [end, act] of Object.entries(ends)) {
    it(`that is ${end} stays as an interrupted message`, async () => {
      const { session, run } = await started(place)
      await draftOf(run, 'a first attempt')
      await draftOf(run)
      await act(run, session)
      expect(await shown(session)).toEqual(['go (user)', `${half} (interrupted)`])
      expect(await (await place.openStore()).listDrafts('default' as never, session.id)).toEqual([])
    })
  }

  it('that expires with its session stays as an interrupted message', async () => {
    const { holdfast, session, run } = await started(place, { ttlSecs: 15 })
    await draftOf(run)
    place.clock.advance(20_000)
    expect(await holdfast.sweep()).toMatchObject({ expiredSessions: 1, failed: [] })
    expect(await shown(session)).toEqual(['go (user)', `${half} (interrupted)`])
    expect((await session.view()).run?.state).toBe('cancelled')
  })

  it('that completes goes', async () => {
    const { session, run } = await started(place)
    await draftOf(run)
    await run.completeRound()
    await run.complete()
    expect(await shown(session)).toEqual(['go (user)'])
  })

  it('is not written again when its message is still on its way', async () => {
    const { session, run } = await started(place)
    await draftOf(run, 'hello', 'd1')
    await Promise.all([run.append(assistant('hello'), { draftId: 'd1' }), run.cancel()])
    expect(await shown(session)).toEqual(['go (user)', 'hello (complete)'])
  })

  it('is cut when its JSON is larger than an event may be, and the run ends all the same', async () => {
    const { holdfast, session, run } = await started(place)
    const draft = run.draft()
    const piece = '"\n'.repeat(15_000)
    const pieces = 100
    for (let n = 0; n < pieces; n++) draft.write({ kind: n % 2 ? 'text' : 'reasoning', text: piece })
    await draft.flush()
    place.clock.advance(20_000)
    expect(await holdfast.sweep()).toMatchObject({ recoveredRuns: 1, failed: [] })
    expect(await session.view()).toMatchObject({ status: 'idle', run: { state: 'failed' } })
    const parts = ((await session.messages()).messages.at(-1)?.parts ?? []) as { text: string }[]
    const kept = parts.slice(0, -1).reduce((sum, { text }) => sum + text.length, 0)
    expect(kept).toBeGreaterThan(limits.eventBytes / 2 - 2 * limits.draftChunkBytes)
    expect(parts.at(-1)?.text).toBe(`[cut: ${pieces * piece.length - kept} bytes of the interrupted text]`)
  })
})
