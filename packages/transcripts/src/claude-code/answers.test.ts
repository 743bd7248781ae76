/** Answers that have the id of another one. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportSession } from '../export-session.ts'
import { importPaths } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import { answers, calls, result, says, text } from '../testing/claude-lines.ts'
import { allMessages, openMemory, pairingFaults, temporaryFolder } from '../testing/imported.ts'

async function imported(...stages: readonly (readonly object[])[]) {
  const holdfast = await openMemory()
  const path = join(temporaryFolder(), 's.jsonl')
  for (const lines of stages) {
    writeFileSync(path, lines.map((each) => `${JSON.stringify(each)}\n`).join(''))
    expect((await importPaths(holdfast, [path])).failed).toEqual([])
  }
  const session = await holdfast.sessions.open(sessionIdOf('default', 'claude-code', 's'))
  const messages = await allMessages(session)
  const { promptTokens, completionTokens, roundCount } = (await session.view()).counters
  const said = messages.map(({ role, parts }) => [
    role,
    ...parts.map((part) => ('text' in part ? part.text : 'callId' in part ? part.callId : part.type)),
  ])
  return { holdfast, session, messages, said, spent: { promptTokens, completionTokens, roundCount } }
}

const from = (input_tokens: number, beside: object = {}) => ({ input_tokens, ...beside })
const requested = (line: object, requestId: string) => ({ ...line, requestId })

/** As a gateway writes them that has one id for all. */
const gateway = [
  says(1, null, 'Is it there?'),
  answers(2, 1, 'ocgo', text('OK'), from(10)),
  says(3, 2, 'And now?'),
  answers(4, 3, 'ocgo', text('OK'), from(30)),
  answers(5, 4, 'ocgo', calls('t1'), from(30)),
  result(6, 5, 't1'),
  answers(7, 6, 'ocgo', calls('t2'), from(50)),
  result(8, 7, 't2'),
  answers(9, 8, 'ocgo', text('Yes'), from(70)),
]
const ofGateway = [
  ['user', 'Is it there?'],
  ['assistant', 'OK'],
  ['user', 'And now?'],
  ['assistant', 'OK', 't1'],
  ['tool', 't1'],
  ['assistant', 't2'],
  ['tool', 't2'],
  ['assistant', 'Yes'],
]

test('a gateway that gives every answer the same id has each of them, and each is paid for', async () => {
  const { said, spent, messages } = await imported(gateway)
  expect(said).toEqual(ofGateway)
  expect(pairingFaults(messages)).toEqual([])
  expect(spent).toEqual({ promptTokens: 10 + 30 + 50 + 70, completionTokens: 4 * 5, roundCount: 4 })
})

test.each(gateway.map((_, at) => at).slice(1))(
  'so does one whose file was imported before, %i lines long',
  async (cut) => {
    const { said, spent } = await imported(gateway.slice(0, cut), gateway)
    expect(said).toEqual(ofGateway)
    expect(spent).toEqual((await imported(gateway)).spent)
  },
)

test('such a session written back is read as the same', async () => {
  const { session, holdfast: first } = await imported(gateway)
  const path = join(temporaryFolder(), 's.jsonl')
  const pieces: string[] = []
  await exportSession(first, session.id, 'claude-code', { write: async (piece) => void pieces.push(piece) })
  writeFileSync(path, pieces.join(''))
  const holdfast = await openMemory()
  const { imported: sessions } = await importPaths(holdfast, [path])
  const again = await holdfast.sessions.open(sessions[0]?.sessionId ?? '')
  expect((await again.view()).counters.promptTokens).toBe(160)
  expect((await allMessages(again)).map(({ role }) => role)).toEqual(ofGateway.map(([role]) => role))
})

test('answers of several requests that were given one id are several', async () => {
  const { said, spent } = await imported([
    says(1, null, 'Read.'),
    requested(answers(2, 1, 'msg_1', calls('t1')), 'req_1'),
    result(3, 2, 't1'),
    requested(answers(4, 3, 'msg_1', calls('t2')), 'req_2'),
    result(5, 4, 't2'),
    requested(answers(6, 5, 'msg_1', text('Read.')), 'req_3'),
  ])
  expect(said.map(([role]) => role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'tool', 'assistant'])
  expect(spent).toMatchObject({ promptTokens: 30, roundCount: 3 })
})

test('lines of one answer are one, also where results and words of the program came between', async () => {
  const meta = { ...says(5, 4, 'Base directory of this skill'), isMeta: true }
  const { said, spent } = await imported([
    says(1, null, 'Go.'),
    answers(2, 1, 'msg_1', calls('t1'), from(10)),
    result(3, 2, 't1'),
    answers(4, 2, 'msg_1', calls('t2'), from(10)),
    meta,
    answers(6, 4, 'msg_1', calls('t3'), from(10, { output_tokens: 9 })),
    result(7, 4, 't2'),
    result(8, 6, 't3'),
  ])
  expect(said.filter(([role]) => role === 'assistant')).toEqual([['assistant', 't1', 't2', 't3']])
  expect(spent).toEqual({ promptTokens: 10, completionTokens: 9, roundCount: 1 })
})

test('a line of an answer that tells other figures is of the same answer, where nothing was said between', async () => {
  const { spent } = await imported([
    says(1, null, 'Go.'),
    answers(2, 1, 'msg_1', text('Well'), from(10)),
    answers(3, 2, 'msg_1', text(', gone.'), from(12)),
  ])
  expect(spent).toEqual({ promptTokens: 12, completionTokens: 5, roundCount: 1 })
})

test('where nobody tells what an answer was made from, what a user says parts it from the next', async () => {
  const { said } = await imported([
    says(1, null, 'One'),
    answers(2, 1, 'ocgo', text('OK'), from(0)),
    says(3, 2, 'Two'),
    answers(4, 3, 'ocgo', text('OK'), from(0)),
  ])
  expect(said.map(([role]) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
})

test('an answer that stands in the file again after a rewind is no other one', async () => {
  const { said, spent } = await imported([
    says(1, null, 'One'),
    answers(2, 1, 'msg_1', text('First'), from(10)),
    says(3, 2, 'Two'),
    answers(4, 3, 'msg_2', text('Second'), from(20)),
    says(11, null, 'One'),
    answers(12, 11, 'msg_1', text('First'), from(10)),
    says(13, 12, 'Three'),
    answers(14, 13, 'msg_3', text('Third'), from(25)),
  ])
  expect(said).toEqual([
    ['user', 'One'],
    ['assistant', 'First'],
    ['user', 'Three'],
    ['assistant', 'Third'],
  ])
  expect(spent).toMatchObject({ promptTokens: 10 + 20 + 25 })
})

test('words that a later part of an answer repeats are no copy', async () => {
  const thought = { type: 'thinking', thinking: 'hm', signature: 'x' }
  const { said } = await imported([
    says(1, null, 'Q1'),
    answers(2, 1, 'gw', text('Done.'), from(10)),
    says(3, 2, 'Q2'),
    answers(4, 3, 'gw', thought, from(20)),
    answers(5, 4, 'gw', text('Done.'), from(20)),
    says(6, 5, 'Q3'),
    answers(7, 6, 'gw', text('End'), from(30)),
  ])
  expect(said.map(([role, ...words]) => [role, words.at(-1)])).toEqual([
    ...[
      ['user', 'Q1'],
      ['assistant', 'Done.'],
      ['user', 'Q2'],
      ['assistant', 'Done.'],
    ],
    ...[
      ['user', 'Q3'],
      ['assistant', 'End'],
    ],
  ])
})

const queued = (nth: number, parent: number, prompt: string) => ({
  ...says(nth, parent, prompt),
  type: 'attachment',
  attachment: { type: 'queued_command', prompt },
})

test.each([
  [
    'of a gateway that tells the same of each',
    [answers(2, 1, 'gw', text('A'), from(10)), says(3, 2, 'And?'), answers(4, 3, 'gw', text('B'), from(10))],
    2,
  ],
  [
    'of one request, into which somebody spoke',
    [
      requested(answers(2, 1, 'msg_1', text('A')), 'r'),
      says(3, 2, 'And?'),
      requested(answers(4, 3, 'msg_1', text('B')), 'r'),
    ],
    1,
  ],
  [
    'of one request, into which somebody had spoken',
    [answers(2, 1, 'msg_1', text('A')), queued(3, 2, 'And?'), answers(4, 3, 'msg_1', text('B'))],
    1,
  ],
  [
    'of one that has the name of a second',
    [
      answers(2, 1, 'm', text('A'), from(1)),
      says(3, 2, 'And?'),
      answers(4, 3, 'm', text('B'), from(2)),
      says(5, 4, 'So?'),
      answers(6, 5, 'm@2', text('C'), from(3)),
    ],
    2,
  ],
])('answers are there %s', async (_what, lines, paid) => {
  const { said, spent } = await imported([says(1, null, 'Go.'), ...lines])
  const words = said.flatMap(([role, ...each]) => (role === 'assistant' ? each : []))
  expect(words).toEqual(['A', 'B', 'C'].slice(0, words.length))
  expect(words.length).toBeGreaterThan(1)
  expect(spent.completionTokens).toBe(paid * 5)
})

test('a line that goes on from one of the same answer is of it, whatever its figures', async () => {
  const { said, spent } = await imported([
    says(1, null, 'Go.'),
    answers(2, 1, 'msg_1', calls('t1'), from(10)),
    result(3, 2, 't1'),
    answers(4, 2, 'msg_1', calls('t2'), from(12)),
    result(5, 4, 't2'),
  ])
  expect(said.filter(([role]) => role === 'assistant')).toEqual([['assistant', 't1', 't2']])
  expect(spent).toMatchObject({ promptTokens: 12, roundCount: 1 })
})
