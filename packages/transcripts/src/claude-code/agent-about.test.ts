/** Sub-agents as later versions of the program lay them out: deeper folders, and a file that tells of each. */
import { expect, test } from 'vitest'
import { importPaths } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import { answers, calls, type Files, result, save, says, text } from '../testing/claude-lines.ts'
import { allEvents, openMemory, temporaryFolder } from '../testing/imported.ts'

async function imported(...stages: readonly Files[]) {
  const folder = temporaryFolder()
  const holdfast = await openMemory()
  let events = 0
  for (const files of stages) {
    save(folder, files)
    const summary = await importPaths(holdfast, [folder])
    expect(summary.failed).toEqual([])
    expect(summary.passedOver).toEqual([])
    events = summary.events
  }
  const { sessions } = await holdfast.sessions.list({}, { limit: 100 })
  const nameOf = (id: string | undefined) => names.find((name) => idOf(name) === id) ?? id
  const tree = Object.fromEntries(
    sessions.map(({ id, parentSessionId, spawnDepth }) => [
      nameOf(id),
      [nameOf(parentSessionId), spawnDepth],
    ]),
  )
  return { holdfast, tree, events }
}

const names = ['s', 's/a1', 's/a2', 's/a3', 's/a4']
const idOf = (name: string) => sessionIdOf('default', 'claude-code', name)

const agent = (nth: number) => [
  says(nth, null, `Task ${nth}`),
  answers(nth + 1, nth, `msg_${nth}`, text('Done.')),
]

/** Asks for a sub-agent without a word of which one it became. */
const asks = (nth: number, callId: string) => [
  says(nth, null, 'Look.'),
  answers(nth + 1, nth, `msg_${nth}`, calls(callId, 'Agent')),
  result(nth + 2, nth + 1, callId),
  answers(nth + 3, nth + 2, `msg_${nth}b`, text('Found.')),
]

const spawnedIn = async (holdfast: Awaited<ReturnType<typeof openMemory>>, name: string) =>
  (await allEvents(await holdfast.sessions.open(idOf(name)))).flatMap((event) =>
    event.type === 'child.spawned'
      ? [event.data as { childId: string; callId?: string; agentId: string }]
      : [],
  )

test('a sub-agent of a sub-agent is its child, though their files lie side by side', async () => {
  const { holdfast, tree, events } = await imported({
    's.jsonl': asks(1, 't1'),
    's/subagents/agent-a2.jsonl': asks(100, 't2'),
    's/subagents/agent-a2.meta.json': { agentType: 'Plan', toolUseId: 't1', spawnDepth: 1 },
    's/subagents/agent-a1.jsonl': agent(200),
    's/subagents/agent-a1.meta.json': {
      agentType: 'Explore',
      toolUseId: 't2',
      spawnDepth: 2,
      parentAgentId: 'a2',
    },
  })
  expect(tree).toEqual({ s: [undefined, 0], 's/a2': ['s', 1], 's/a1': ['s/a2', 2] })
  expect(await spawnedIn(holdfast, 's')).toMatchObject([
    { childId: idOf('s/a2'), callId: 't1', agentId: 'claude-code Plan' },
  ])
  expect(await spawnedIn(holdfast, 's/a2')).toMatchObject([
    { childId: idOf('s/a1'), callId: 't2', agentId: 'claude-code Explore' },
  ])
  expect(events).toBeGreaterThan(0)
})

test('sub-agents of a workflow are read from its folder, also those of whom nobody tells which call it was', async () => {
  const run = 's/subagents/workflows/wf_1'
  const { tree } = await imported({
    's.jsonl': asks(1, 't1'),
    [`${run}/agent-a1.jsonl`]: agent(100),
    [`${run}/agent-a1.meta.json`]: { agentType: 'workflow-subagent', spawnDepth: 2, parentAgentId: 'a2' },
    [`${run}/agent-a2.jsonl`]: agent(200),
    [`${run}/agent-a2.meta.json`]: { agentType: 'workflow-subagent' },
    [`${run}/deeper/agent-a3.jsonl`]: agent(300),
  })
  expect(tree).toEqual({ s: [undefined, 0], 's/a2': ['s', 1], 's/a1': ['s/a2', 2], 's/a3': ['s', 1] })
})

test('a sub-agent at work is told of by its call, and again when the result has come', async () => {
  const files = {
    's/subagents/agent-a1.jsonl': agent(100),
    's/subagents/agent-a1.meta.json': {
      agentType: 'Explore',
      description: 'Find the config',
      toolUseId: 't1',
    },
  }
  const main = asks(1, 't1')
  const { holdfast, tree } = await imported({ ...files, 's.jsonl': main.slice(0, 2) }, { 's.jsonl': main })
  expect(tree).toEqual({ s: [undefined, 0], 's/a1': ['s', 1] })
  expect(await spawnedIn(holdfast, 's')).toMatchObject([{ childId: idOf('s/a1'), callId: 't1' }])
  expect(await holdfast.sessions.get(idOf('s/a1'))).toMatchObject({ title: 'Find the config' })
})

test('the facts of a sub-agent are in its metadata, what is long or no text is not', async () => {
  const { holdfast } = await imported({
    's.jsonl': asks(1, 't1'),
    's/subagents/agent-a1.jsonl': agent(100),
    's/subagents/agent-a1.meta.json': {
      ...{ agentType: 'x', name: 'tests', isFork: true, worktreePath: '/w', model: 'm'.repeat(10_000) },
      ...{ description: 7, toolUseId: ['t1'], parentAgentId: {}, spawnDepth: '2' },
    },
  })
  const { metadata, title } = (await holdfast.sessions.get(idOf('s/a1'))) ?? {}
  expect(metadata).toEqual({
    source: { format: 'claude-code', sourceId: 's', agentId: 'a1' },
    ...{ agentName: 'tests', isFork: true, worktreePath: '/w' },
  })
  expect(title).toBe('Task 100')
})

test.each([
  ['broken', '{"agentType":"Exp'],
  ['empty', ''],
  ['no object', '[1]'],
  ['larger than such a file is', JSON.stringify({ description: 'x', more: 'x'.repeat(100_000) })],
])('a file about a sub-agent that is %s does no harm', async (_what, about) => {
  const { holdfast, tree } = await imported({
    's.jsonl': asks(1, 't1'),
    's/subagents/agent-a1.jsonl': agent(100),
    's/subagents/agent-a1.meta.json': about,
  })
  expect(tree).toEqual({ s: [undefined, 0], 's/a1': ['s', 1] })
  expect((await holdfast.sessions.get(idOf('s/a1')))?.title).toBe('Task 100')
})

test('sub-agents that name each other, or themselves, as their parents are all there', async () => {
  const about = (parentAgentId: string) => ({ agentType: 'x', parentAgentId, spawnDepth: 2 })
  const { tree } = await imported({
    's.jsonl': asks(1, 't1'),
    's/subagents/agent-a1.jsonl': agent(100),
    's/subagents/agent-a1.meta.json': about('a2'),
    's/subagents/agent-a2.jsonl': agent(200),
    's/subagents/agent-a2.meta.json': about('a1'),
    's/subagents/agent-a3.jsonl': agent(300),
    's/subagents/agent-a3.meta.json': about('a3'),
  })
  expect(tree).toEqual({ s: [undefined, 0], 's/a1': ['s', 1], 's/a2': ['s/a1', 2], 's/a3': ['s', 1] })
})

test('a chain of sub-agents deeper than sessions may be ends in children of the deepest', async () => {
  const chain = Array.from({ length: 12 }, (_, nth) => `d${String(11 - nth)}`)
  const files = chain.flatMap((id, nth) => [
    [`s/subagents/agent-${id}.jsonl`, agent(1_000 + 10 * nth)],
    [`s/subagents/agent-${id}.meta.json`, nth === 0 ? {} : { parentAgentId: chain[nth - 1] as string }],
  ])
  const { holdfast } = await imported({ 's.jsonl': asks(1, 't1'), ...Object.fromEntries(files) })
  const sessions = await Promise.all(chain.map((id) => holdfast.sessions.get(idOf(`s/${id}`))))
  expect(sessions.map((session) => session?.spawnDepth)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8])
})

test.each([
  ['control characters', 'a\u0000b\n'],
  ['half a character at its end', `${'x'.repeat(243)}😀😀`],
])('a kind of sub-agent with %s does no harm', async (_what, agentType) => {
  const { tree } = await imported({
    's.jsonl': asks(1, 't1'),
    's/subagents/agent-a1.jsonl': agent(100),
    's/subagents/agent-a1.meta.json': {
      ...{ agentType, toolUseId: 't1', name: '€'.repeat(2_000), model: '€'.repeat(500) },
      ...{ worktreePath: '€'.repeat(500), worktreeBranch: '€'.repeat(500) },
    },
  })
  expect(tree).toEqual({ s: [undefined, 0], 's/a1': ['s', 1] })
})

test('a sub-agent that was taken for a child of the session stays one', async () => {
  const files = { 's.jsonl': asks(1, 't1'), 's/subagents/agent-a2.jsonl': asks(100, 't2') }
  const late = { agentType: 'Explore', toolUseId: 't2', spawnDepth: 2 }
  const { tree } = await imported(
    { ...files, 's/subagents/agent-a1.jsonl': agent(200) },
    {
      's/subagents/agent-a1.meta.json': late,
      's/subagents/agent-a2.jsonl': [...asks(100, 't2'), says(110, 103, 'And?')],
    },
  )
  expect(tree).toEqual({ s: [undefined, 0], 's/a1': ['s', 1], 's/a2': ['s', 1] })
})

test.each(['in one message', 'one after the other'])(
  'a turn may start more sub-agents than may be open at once, %s',
  async (how) => {
    const many = 150
    const ids = Array.from({ length: many }, (_, nth) => `b${nth}`)
    const called = ids.map((id, nth) =>
      answers(2 + nth, 1 + nth, how === 'in one message' ? 'msg' : `msg_${nth}`, calls(id, 'Agent')),
    )
    const done = ids.map((id, nth) => result(200 + nth, 2 + nth, id, { toolUseResult: { agentId: id } }))
    const lines =
      how === 'in one message'
        ? [...called, ...done]
        : called.flatMap((call, nth) => [call, done[nth] as object])
    const files = Object.fromEntries(
      ids.map((id, nth) => [`s/subagents/agent-${id}.jsonl`, agent(1_000 + 2 * nth)]),
    )
    const { holdfast } = await imported({
      's.jsonl': [says(1, null, 'Look everywhere.'), ...lines],
      ...files,
    })
    const spawned = await spawnedIn(holdfast, 's')
    expect(new Set(spawned.map(({ callId }) => callId)).size).toBe(many)
    expect(new Set(spawned.map(({ childId }) => childId)).size).toBe(many)
  },
)

test('sub-agents of one name in the folders of two workflows are two', async () => {
  const { holdfast, tree } = await imported({
    's.jsonl': asks(1, 't1'),
    's/subagents/workflows/wf_1/agent-a1.jsonl': agent(100),
    's/subagents/workflows/wf_2/agent-a1.jsonl': agent(200),
  })
  expect(tree['s/a1']).toEqual(['s', 1])
  expect(Object.keys(tree)).toHaveLength(3)
  expect((await holdfast.sessions.get(idOf('s/workflows/wf_2/a1')))?.title).toBe('Task 200')
})
