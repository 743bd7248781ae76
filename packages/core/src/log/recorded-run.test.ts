import { expect, it } from 'vitest'
import type { HostCommand } from './check-command.ts'
import { eachStore } from './testing/each-store.ts'
import { assistant, typesOf, user } from './testing/messages.ts'

const worker = { owner: 'worker', ttlMs: 10_000 }
const recorded: HostCommand[] = [
  { type: 'startRun', recorded: true, owner: 'importer', ttlMs: 1_000 },
  { type: 'completeRun' },
]
const forged: HostCommand[] = [
  { type: 'append', message: assistant('forged') },
  { type: 'completeRound' },
  { type: 'completeRun' },
]

eachStore('a batch that records a run', (place) => {
  it('does not touch the live run of a worker', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('go'))
    const run = await (await session.startRun(worker)).startRound()
    const { seq } = await session.view()
    for (const batch of [
      [...forged, ...recorded],
      [...recorded],
      [{ type: 'addNote', kind: 'x' } as const, ...recorded],
    ]) {
      await expect(session.batch(batch)).rejects.toMatchObject({ code: 'run_live' })
    }
    expect((await session.view()).seq).toBe(seq)
    await run.append(assistant('by the worker'))
  })

  it('does not end a suspended run', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('go'))
    await (await session.startRun(worker)).suspend('shutdown')
    await expect(session.batch([{ type: 'cancelRun' }, ...recorded])).rejects.toMatchObject({
      code: 'run_live',
    })
    expect((await session.view()).run?.state).toBe('suspended')
  })

  it('writes inside the run only what stands between its start and its end', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.batch([
      { type: 'append', message: user('before') },
      { type: 'append', message: assistant('before') },
      { type: 'startRun', recorded: true, owner: 'importer', ttlMs: 1_000 },
      { type: 'append', message: assistant('inside') },
      { type: 'completeRun' },
      { type: 'append', message: assistant('after') },
    ])
    const { messages } = await session.messages()
    expect(messages.map(({ runId }) => runId !== undefined)).toEqual([false, false, true, false])
    expect(typesOf((await session.events()).events)).toContain('run.completed')
  })
})
