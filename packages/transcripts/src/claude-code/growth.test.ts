/** Claude Code files that grew between imports: what a list of lines alone does not have. */
import { expect, test } from 'vitest'
import { exportSession } from '../export-session.ts'
import { importPaths } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import { answers, calls, type Files, result, save, says, text } from '../testing/claude-lines.ts'
import { allMessages, openMemory, temporaryFolder } from '../testing/imported.ts'

async function staged(...stages: readonly Files[]) {
  const folder = temporaryFolder()
  const holdfast = await openMemory()
  for (const files of stages) {
    save(folder, files)
    expect((await importPaths(holdfast, [folder])).failed).toEqual([])
  }
  const session = await holdfast.sessions.open(sessionIdOf('default', 'claude-code', 's'))
  const messages = (await allMessages(session)).map(({ role, parts }) => ({ role, parts }))
  return { holdfast, session, messages, view: await session.view() }
}

const grown = (lines: readonly object[], ...cuts: number[]): Files[] =>
  [...cuts, lines.length].map((cut) => ({ 's.jsonl': lines.slice(0, cut) }))

test('a sub-agent that was at work has its result, when it has come', async () => {
  const main = [
    says(1, null, 'Look.'),
    answers(2, 1, 'msg_1', calls('t1', 'Task')),
    result(3, 2, 't1', { toolUseResult: { agentId: 'a1' } }),
    answers(4, 3, 'msg_2', text('Seen.')),
  ]
  const agent = [1, 2].map((nth) => ({
    ...(nth === 1 ? says(11, null, 'Do look.') : answers(12, 11, 'msg_3', text('A cat.'))),
    ...{ isSidechain: true, agentId: 'a1' },
  }))
  const file = 's/subagents/agent-a1.jsonl'
  const whole = await staged({ 's.jsonl': main, [file]: agent })
  const parted = await staged(
    { 's.jsonl': main.slice(0, 2), [file]: agent.slice(0, 1) },
    { 's.jsonl': main, [file]: agent },
  )
  expect(parted.messages).toEqual(whole.messages)
  expect(parted.messages[2]?.parts).toMatchObject([{ callId: 't1', outcome: 'ok', output: 'done' }])
})

test.each([
  ['from one to another', { cache_read_input_tokens: 0 }, { input_tokens: 0, cache_read_input_tokens: 10 }],
  [
    'of thinking, while the output fell',
    {},
    { output_tokens: 4, output_tokens_details: { thinking_tokens: 3 } },
  ],
  [
    'of an hour, told later',
    { cache_creation_input_tokens: 7 },
    { cache_creation_input_tokens: 7, output_tokens: 6, cache_creation: { ephemeral_1h_input_tokens: 7 } },
  ],
])(
  'figures that moved %s do not end an import, and no token is counted twice',
  async (_what, first, then) => {
    const lines = [
      says(1, null, 'Hi.'),
      answers(2, 1, 'msg_1', text('a'), first),
      answers(3, 2, 'msg_1', text('b'), then),
    ]
    const { view } = await staged(...grown(lines, 2))
    const whole = await staged(...grown(lines))
    expect(view.counters.promptTokens).toBe(whole.view.counters.promptTokens)
    expect(view.counters.completionTokens).toBe(Math.max(5, whole.view.counters.completionTokens))
  },
)

test('a session keeps its name when its first answer went on', async () => {
  const lines = [
    says(1, null, 'One.'),
    answers(2, 1, 'msg_1', text('a')),
    answers(3, 2, 'msg_1', text('b')),
    says(4, 3, 'Two.'),
  ]
  expect((await staged(...grown(lines, 2))).view.title).toBe('One.')
})

test('whoever went back into the middle of a turn has the branch that was left as a fork', async () => {
  const lines = [
    says(1, null, 'One.'),
    answers(2, 1, 'msg_1', text('a')),
    answers(3, 2, 'msg_2', text('b')),
    says(4, 2, 'Other.'),
    answers(5, 4, 'msg_3', text('c')),
  ]
  const { holdfast, messages } = await staged(...grown(lines, 3, 4))
  expect(messages.map(({ parts }) => parts[0])).toMatchObject(
    ['One.', 'a', 'Other.', 'c'].map((words) => text(words)),
  )
  const { sessions } = await holdfast.sessions.list()
  const fork = sessions.find(({ forkedFrom }) => forkedFrom !== undefined)
  const left = await allMessages(await holdfast.sessions.open(fork?.id ?? ''))
  expect(left.map(({ parts }) => parts[0])).toMatchObject(['One.', 'a', 'b'].map((words) => text(words)))
})

test('what was read again is written with what it cost', async () => {
  const lines = [
    says(1, null, 'One.'),
    answers(2, 1, 'msg_1', text('first'), { input_tokens: 1, output_tokens: 1 }),
    answers(3, 2, 'msg_2', calls('c1'), { output_tokens: 60 }),
    result(4, 3, 'c1'),
    answers(5, 4, 'msg_3', text('End.')),
  ]
  const figures = async (stages: readonly Files[]) => {
    const { holdfast, session } = await staged(...stages)
    let written = ''
    await exportSession(holdfast, session.id, 'claude-code', {
      write: async (more) => {
        written += more
      },
    })
    const messages = written
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each).message)
    return messages.flatMap((message) => (message?.usage ? [message.usage.output_tokens] : []))
  }
  expect(await figures(grown(lines, 3))).toEqual([1, 60, 5])
  expect(await figures(grown(lines))).toEqual([1, 60, 5])
})
