/** Sub-agents whose files begin with what was said above: a question aside, a compaction. */
import { expect, test } from 'vitest'
import { importPaths } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import { answers, calls, type Files, result, save, says, text } from '../testing/claude-lines.ts'
import { allMessages, openMemory, temporaryFolder } from '../testing/imported.ts'

const from = (input_tokens: number, output_tokens = 5) => ({ input_tokens, output_tokens })

const main = [
  says(1, null, 'Build it.'),
  answers(2, 1, 'msg_1', calls('t1'), from(100)),
  result(3, 2, 't1'),
  answers(4, 3, 'msg_2', text('Built.'), from(200)),
]
const aside = [says(50, 4, 'By the way, why?'), answers(51, 50, 'msg_3', text('Because.'), from(300, 7))]

/** As the program writes a copy: with uuids and, at times, request ids and figures of its own. */
const copied = (lines: readonly object[]) =>
  lines.map((line, at) => ({ ...line, uuid: `copy ${at}`, parentUuid: at === 0 ? null : `copy ${at - 1}` }))

async function imported(...stages: readonly Files[]) {
  const folder = temporaryFolder()
  const holdfast = await openMemory()
  for (const files of stages) {
    save(folder, files)
    expect((await importPaths(holdfast, [folder])).failed).toEqual([])
  }
  const read = async (name: string) => {
    const session = await holdfast.sessions.open(sessionIdOf('default', 'claude-code', name))
    const { counters, title, createdAt, parentSessionId: parent } = await session.view()
    const { promptTokens, completionTokens } = counters
    return {
      id: session.id,
      parent,
      messages: await allMessages(session),
      title,
      createdAt,
      spent: [promptTokens, completionTokens],
    }
  }
  const { promptTokens } = await holdfast.usage.totals()
  return { read, promptTokens }
}

const withAside = (copy: readonly object[]) => ({
  's.jsonl': main,
  's/subagents/agent-a1.jsonl': [...copy, ...aside.map((line) => ({ ...line, isSidechain: true }))],
})

test('what a sub-agent was told of the conversation above was paid for there', async () => {
  const { read, promptTokens } = await imported(withAside(copied(main)))
  const child = await read('s/a1')
  expect(child.messages).toHaveLength(6)
  expect(child.spent).toEqual([300, 7])
  expect(promptTokens).toBe(100 + 200 + 300)
  expect((await read('s')).spent).toEqual([300, 10])
})

test('also of a branch that was left there', async () => {
  const left = [says(10, 2, 'Stop.'), answers(11, 10, 'msg_left', text('Stopped.'), from(1_000))]
  const rewound = [...main.slice(0, 2), ...left, ...main.slice(2)]
  const renamed = rewound.map((line) => ({
    ...line,
    uuid: `copy ${line.uuid}`,
    parentUuid: line.parentUuid && `copy ${line.parentUuid}`,
  }))
  const { read, promptTokens } = await imported({ ...withAside(renamed), 's.jsonl': rewound })
  expect((await read('s/a1')).spent).toEqual([300, 7])
  expect(promptTokens).toBe(100 + 200 + 300 + 1_000)
})

test('it is named by what was said to it alone, and begins then', async () => {
  const { read } = await imported(withAside(copied(main)))
  expect(await read('s/a1')).toMatchObject({
    title: 'By the way, why?',
    createdAt: '2026-05-06T07:08:50.000Z',
  })
})

test('also where the copy has request ids and last figures of its own', async () => {
  const told = main.map((line, at) => ({ ...line, requestId: `req_${at}` }))
  const final = told.map((line) =>
    'usage' in line.message
      ? {
          ...line,
          message: { ...line.message, usage: { ...(line.message.usage as object), output_tokens: 999 } },
        }
      : line,
  )
  const { read } = await imported(withAside(copied(final)))
  expect((await read('s/a1')).spent).toEqual([300, 7])
})

test('an answer in the same words that was made from something else is its own', async () => {
  const same = [says(60, null, 'Build it.'), answers(61, 60, 'msg_2', text('Built.'), from(40, 3))]
  const { read } = await imported({ 's.jsonl': main, 's/subagents/agent-a1.jsonl': same })
  expect((await read('s/a1')).spent).toEqual([40, 3])
})

test('and so when the file grows between two imports, and below a sub-agent', async () => {
  const whole = withAside(copied(main))
  const child = whole['s/subagents/agent-a1.jsonl']
  const below = {
    's/subagents/agent-a2.jsonl': [
      ...copied(child),
      says(70, 51, 'More?'),
      answers(71, 70, 'msg_4', text('No.'), from(400, 9)),
    ],
    's/subagents/agent-a2.meta.json': [{ parentAgentId: 'a1', spawnDepth: 2 }],
  }
  const { read, promptTokens } = await imported(
    { 's.jsonl': main.slice(0, 2), 's/subagents/agent-a1.jsonl': child.slice(0, 1) },
    whole,
    { ...whole, ...below },
  )
  expect((await read('s/a1')).spent).toEqual([300, 7])
  expect((await read('s')).spent).toEqual([300, 10])
  expect((await read('s/a2')).spent).toEqual([400, 9])
  expect(promptTokens).toBe(100 + 200 + 300 + 400)
})

test('a sub-agent that heard of calls above has not made them', async () => {
  const above = [
    says(1, null, 'Look.'),
    answers(2, 1, 'msg_1', calls('t1', 'Agent'), from(10)),
    answers(3, 2, 'msg_1', calls('t2', 'Agent'), from(10)),
    result(4, 3, 't2', { toolUseResult: { agentId: 'a2' } }),
  ]
  const { read } = await imported({
    's.jsonl': above,
    's/subagents/agent-a1.jsonl': [says(60, null, 'One'), answers(61, 60, 'msg_a', text('Done.'))],
    's/subagents/agent-a1.meta.json': [{ toolUseId: 't1', spawnDepth: 1 }],
    's/subagents/agent-a2.jsonl': [...copied(above.slice(0, 3)), ...aside],
    's/subagents/agent-a2.meta.json': [{ toolUseId: 't2', spawnDepth: 1 }],
  })
  expect((await read('s/a1')).parent).toBe((await read('s')).id)
  expect((await read('s/a2')).parent).toBe((await read('s')).id)
})

test('figures that moved while the answer was told are those of the same answer', async () => {
  const moved = [
    says(1, null, 'Build it.'),
    answers(2, 1, 'msg_1', text('I do.'), from(100)),
    answers(3, 2, 'msg_1', calls('t1'), from(120)),
    result(4, 3, 't1'),
  ]
  const { read } = await imported({ ...withAside(copied(moved.slice(0, 2))), 's.jsonl': moved })
  expect((await read('s/a1')).spent).toEqual([300, 7])
})

test('of a gateway that has one id for all, each answer that was heard is known', async () => {
  const gateway = [
    says(1, null, 'One'),
    answers(2, 1, 'gw', text('OK'), from(10)),
    says(3, 2, 'Two'),
    answers(4, 3, 'gw', text('OK'), from(30)),
    says(5, 4, 'Three'),
    answers(6, 5, 'gw', text('OK'), from(50)),
  ]
  const asked = [says(50, null, 'Why?'), answers(51, 50, 'gw', text('OK'), from(70, 7))]
  const { read } = await imported({
    's.jsonl': gateway,
    's/subagents/agent-a1.jsonl': [...copied(gateway), ...asked],
  })
  expect((await read('s')).spent).toEqual([90, 15])
  expect((await read('s/a1')).spent).toEqual([70, 7])
})
