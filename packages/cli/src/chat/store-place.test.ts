import { join } from 'node:path'
import { type Agent, defineAgent, spawnChild, withAgents } from '@holdfast/agent'
import { offlineScripted, type Script, scriptedModel } from '@holdfast/agent/testing'
import { type Followed, type Holdfast, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { said, temporaryFolder } from '../testing/place.ts'
import { StorePlace } from './store-place.ts'

const folder = temporaryFolder()
let stores = 0

async function opened(): Promise<Holdfast> {
  const holdfast = await openHoldfast({ store: sqlite(join(folder, `${stores++}.db`)) })
  onTestFinished(() => holdfast.close())
  return holdfast
}

function placeFor(holdfast: Holdfast, agents: readonly Agent[]): StorePlace {
  const onError = (error: unknown): never => {
    throw error
  }
  const place = new StorePlace(holdfast, { agents, now: () => Date.now(), onError })
  onTestFinished(() => place.close())
  return place
}

const agent = (id: string, script: Script) => defineAgent({ id, model: scriptedModel({ script }) })
const hanging: Script = () => ({
  parts: [{ type: 'text', text: 'half' }],
  fault: { type: 'hang', afterBytes: 4 },
})

async function typesOf(items: AsyncIterable<Followed>): Promise<string[]> {
  const types: string[] = []
  for await (const item of items) if (item.type === 'event') types.push(item.eventType)
  return types
}

test('a turn that was only just begun can be stopped, and without one there is nothing to stop', async () => {
  const place = placeFor(await opened(), [agent('a', hanging)])
  const id = await place.create('a')
  await place.stop(id)
  const turn = place.send(id, 'hello')
  await place.stop(id)
  expect((await typesOf(turn)).at(-1)).toBe('run.cancelled')
  expect(await place.view(id)).toMatchObject({ channel: 'cli', agentName: 'a', run: { state: 'cancelled' } })
})

test('a run that its worker lost is taken over once its lease is over', async () => {
  const holdfast = await opened()
  const place = placeFor(holdfast, [defineAgent({ id: 'a', model: offlineScripted() })])
  const id = await place.create('a')
  await holdfast.sessions.at(id).append(said('user', 'hello'))
  await (await holdfast.sessions.at(id).startRun({ owner: 'dead', ttlMs: 100 })).startRound()
  const types = await typesOf(place.resume(id))
  expect(types).toContain('lease.lost')
  expect(types.at(-1)).toBe('run.completed')
})

/** Has a child do it, and says what came of it. */
const parent = defineAgent({
  id: 'parent',
  tools: [spawnChild({ agents: { child: 'does it' } })],
  model: scriptedModel({
    script: ({ results }) =>
      results[0]?.output ?? {
        parts: [{ type: 'tool_call', name: 'spawn_child', input: { agent: 'child', task: 'do it' } }],
      },
  }),
})

test('a child that is begun here ends here; sessions beside them are left alone', async () => {
  const holdfast = await opened()
  const first = withAgents(holdfast, { agents: [agent('child', hanging)], pollMs: 0 })
  const beside = await first.create({ agentId: 'child' })
  await beside.send('go').accepted()
  await first.close({ drainMs: 0 })
  const place = placeFor(holdfast, [parent, agent('child', () => 'It is done.')])
  const id = await place.create('parent')
  expect((await typesOf(place.send(id, 'go'))).at(-1)).toBe('run.completed')
  await place.close()
  expect((await place.view(beside.id)).run).toMatchObject({ state: 'suspended', suspendReason: 'shutdown' })
})

test('a lost child is taken over too, and its parent goes on; sessions beside them are left alone', async () => {
  const holdfast = await opened()
  const first = withAgents(holdfast, { agents: [parent, agent('child', hanging)], pollMs: 0 })
  const sessions = await Promise.all([
    first.create({ agentId: 'parent' }),
    first.create({ agentId: 'child' }),
  ])
  const [{ id }, { id: beside }] = sessions
  for (const session of sessions) await session.send('go').accepted()
  const child = async () => (await holdfast.sessions.tree(id)).children[0]?.session.status
  await expect.poll(child).toBe('running')
  await first.close({ drainMs: 0 })
  const place = placeFor(holdfast, [parent, agent('child', () => 'It is done.')])
  expect((await typesOf(place.resume(id))).at(-1)).toBe('run.completed')
  const [last] = (await place.history(id, 1)).slice(-1)
  expect(JSON.stringify(last?.parts)).toContain('It is done.')
  expect((await place.view(beside)).run).toMatchObject({ state: 'suspended', suspendReason: 'shutdown' })
})
