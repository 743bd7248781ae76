/** Lines that stand in another order than they were said in, or beside the way that leads through them. */
import { expect, test } from 'vitest'
import { importPaths } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import { answers, calls, type Files, result, save, says, text } from '../testing/claude-lines.ts'
import { allMessages, openMemory, temporaryFolder } from '../testing/imported.ts'

const idOf = (name: string) => sessionIdOf('default', 'claude-code', name)

async function imported(...stages: readonly Files[]) {
  const folder = temporaryFolder()
  const holdfast = await openMemory()
  for (const files of stages) {
    save(folder, files)
    expect((await importPaths(holdfast, [folder])).failed).toEqual([])
  }
  const { sessions } = await holdfast.sessions.list({}, { limit: 100 })
  const session = await holdfast.sessions.open(idOf('s'))
  const words = (await allMessages(session)).map(({ parts: [part] }) => {
    if (part?.type === 'text') return part.text
    return part?.type === 'tool_result' ? part.outcome : part?.type
  })
  return { holdfast, sessions, words, view: await session.view() }
}

const hook = (nth: number, parent: number | null) => ({
  ...says(nth, parent, ''),
  ...{
    type: 'attachment',
    message: undefined,
    attachment: { type: 'hook_additional_context', content: ['x'] },
  },
})

test.each([
  [
    'in the middle',
    [
      says(1, null, 'One.'),
      answers(2, 1, 'msg_1', text('a')),
      hook(4, 3),
      says(3, 2, 'Two.'),
      answers(5, 4, 'msg_2', text('b')),
    ],
    ['One.', 'a', 'Two.', 'b'],
  ],
  ['at the beginning', [hook(2, 1), says(1, null, 'One.'), answers(3, 2, 'msg_1', text('a'))], ['One.', 'a']],
])('a line that stands before the one it goes on from: %s', async (_where, lines, words) => {
  const all = await imported({ 's.jsonl': lines })
  expect(all.words).toEqual(words)
  expect(all.sessions).toHaveLength(1)
  expect(all.view.title).toBe('One.')
  for (let cut = 1; cut < lines.length; cut++) {
    const grown = await imported({ 's.jsonl': lines.slice(0, cut) }, { 's.jsonl': lines })
    expect(grown.words).toEqual(words)
  }
})

test('lines that lead to each other are read one after the other', async () => {
  const lines = [says(1, 2, 'One.'), answers(2, 1, 'msg_1', text('a')), says(3, 2, 'Two.')]
  expect((await imported({ 's.jsonl': lines })).words).toEqual(['One.', 'a', 'Two.'])
})

const skill = (nth: number, parent: number, callId: string) => ({
  ...says(nth, parent, 'Base directory for this skill: /skills/pdf'),
  ...{ isMeta: true, sourceToolUseID: callId },
})

test('what a call put in is of its turn, also beside a second call of the message', async () => {
  const lines = [
    says(1, null, 'Review.'),
    answers(2, 1, 'msg_1', calls('c1', 'Skill')),
    answers(3, 2, 'msg_1', calls('c2', 'Read')),
    result(4, 2, 'c1'),
    skill(5, 4, 'c1'),
    result(6, 3, 'c2'),
    answers(7, 6, 'msg_2', text('Done.')),
  ]
  const words = ['Review.', 'tool_call', 'ok', 'ok', 'Base directory for this skill: /skills/pdf', 'Done.']
  const whole = await imported({ 's.jsonl': lines })
  expect(whole.words).toEqual(words)
  expect(whole.sessions).toHaveLength(1)
  expect(whole.view.counters).toMatchObject({ turnCount: 1, roundCount: 2 })
  for (let cut = 1; cut < lines.length; cut++) {
    const grown = await imported({ 's.jsonl': lines.slice(0, cut) }, { 's.jsonl': lines })
    expect(grown.words).toEqual(words)
  }
})

test('an answer that goes on behind what its call put in is one, and is paid for by its last figures', async () => {
  const lines = [
    says(1, null, 'Use it.'),
    answers(2, 1, 'msg_1', calls('c1', 'Skill'), { output_tokens: 3 }),
    result(3, 2, 'c1'),
    skill(4, 3, 'c1'),
    answers(5, 4, 'msg_1', calls('c2'), { output_tokens: 900 }),
    result(6, 5, 'c2'),
    answers(7, 6, 'msg_2', text('Done.'), { output_tokens: 100 }),
  ]
  const { view } = await imported({ 's.jsonl': lines })
  expect(view.counters).toMatchObject({ completionTokens: 1000, turnCount: 1, roundCount: 2 })
})

const within = (line: object) => ({ ...line, isSidechain: true })

test.each([
  ['one', 'two'],
  ['vote', 'vote'],
])('sub-agents in the file itself that worked beside each other are siblings: %s, %s', async (one, two) => {
  const asks = (id: string, prompt: string) => ({ ...calls(id, 'Task'), input: { prompt } })
  const lines = [
    says(1, null, 'Do two things.'),
    answers(2, 1, 'msg_1', asks('c1', one)),
    answers(3, 2, 'msg_1', asks('c2', two)),
    ...[says(11, null, one), says(21, null, two)].map(within),
    ...[answers(12, 11, 'msg_11', text('yes')), answers(22, 21, 'msg_21', text('no'))].map(within),
    result(4, 2, 'c1'),
    result(5, 3, 'c2'),
    answers(6, 5, 'msg_2', text('Both.')),
  ]
  const { sessions, holdfast } = await imported({ 's.jsonl': lines })
  expect(sessions.filter(({ parentSessionId }) => parentSessionId === idOf('s'))).toHaveLength(2)
  const { events } = await (await holdfast.sessions.open(idOf('s'))).events({ limit: 200 })
  const spawned = events.flatMap(({ type, data }) => (type === 'child.spawned' ? [data] : []))
  expect(spawned).toMatchObject([{ callId: 'c1' }, { callId: 'c2' }])
})

test('a branch that was left began when its own first line was said', async () => {
  const lines = [
    says(1, null, 'One.'),
    answers(2, 1, 'msg_1', text('a')),
    says(3, 2, 'Left.'),
    answers(4, 3, 'msg_2', text('b')),
    says(5, 2, 'Taken.'),
    answers(6, 5, 'msg_3', text('c')),
  ]
  const { sessions } = await imported({ 's.jsonl': lines })
  const fork = sessions.find(({ forkedFrom }) => forkedFrom !== undefined)
  expect(fork?.createdAt).toBe('2026-05-06T07:08:03.000Z')
})

const told = (nth: number, parent: number | null, subtype: string, beside: object = {}) => ({
  ...says(nth, parent, ''),
  ...{ type: 'system', message: undefined, subtype, ...beside },
})
const uuidOf = (nth: number) => says(nth, null, '').uuid
const summary = (nth: number, parent: number | null, words: string) => ({
  ...says(nth, parent, words),
  isCompactSummary: true,
})
const compacted = [
  says(1, null, 'One.'),
  hook(2, 1),
  answers(3, 2, 'msg_1', text('a')),
  told(4, null, 'compact_boundary', { logicalParentUuid: uuidOf(3), compactMetadata: { trigger: 'manual' } }),
  summary(5, 4, 'Summary one.'),
  says(6, 5, 'Two.'),
  answers(7, 6, 'msg_2', text('b')),
]

test.each([
  [
    'goes on from a hook of what began the session',
    [
      ...[says(1, null, 'One.'), hook(2, 1), told(8, 2, 'stop_hook_summary')],
      told(9, null, 'compact_boundary', {
        logicalParentUuid: uuidOf(8),
        compactMetadata: { preservedSegment: { headUuid: uuidOf(7), tailUuid: uuidOf(8) } },
      }),
      ...[summary(10, 9, 'Summary two.'), says(11, 8, 'Three.'), answers(12, 11, 'msg_3', text('c'))],
    ],
  ],
  [
    'names what began the session',
    [
      told(9, null, 'compact_boundary', { logicalParentUuid: uuidOf(2) }),
      ...[summary(10, 9, 'Summary two.'), says(11, 10, 'Three.'), answers(12, 11, 'msg_3', text('c'))],
    ],
  ],
  [
    'names nothing',
    [
      told(9, null, 'compact_boundary'),
      ...[summary(10, 9, 'Summary two.'), says(11, 10, 'Three.'), answers(12, 11, 'msg_3', text('c'))],
    ],
  ],
])('a second compaction that %s takes nothing away', async (_what, lines) => {
  const all = await imported({ 's.jsonl': [...compacted, ...lines] })
  expect(all.sessions).toHaveLength(1)
  const { holdfast } = all
  const { events } = await (await holdfast.sessions.open(idOf('s'))).events({ limit: 200 })
  const said = events.flatMap((event) =>
    event.type === 'message.appended' ? (event.data as { parts: { text?: string }[] }).parts[0]?.text : [],
  )
  expect(said).toEqual(['One.', 'a', 'Two.', 'b', 'Three.', 'c'])
  expect(events.filter(({ type }) => type === 'compaction.applied')).toHaveLength(2)
})

test('whoever went back before a compaction has what came since as a branch', async () => {
  const lines = [...compacted, says(8, 3, 'Other.'), answers(9, 8, 'msg_3', text('c'))]
  const { words, sessions } = await imported({ 's.jsonl': lines })
  expect(words).toEqual(['One.', 'a', 'Other.', 'c'])
  expect(sessions).toHaveLength(2)
})

test.each([
  ['a note', 'local_command'],
  ['the boundary of another compaction', 'compact_boundary'],
])('whoever went back before a compaction goes on with %s too', async (_what, subtype) => {
  const [one, hooked, first, ...rest] = compacted as [object, object, object, ...object[]]
  const behind = [told(8, 20, subtype), says(9, 8, 'Other.'), answers(10, 9, 'msg_3', text('c'))]
  const lines = [one, hooked, first, told(20, 3, 'turn_duration'), ...rest, ...behind]
  const { words, sessions } = await imported({ 's.jsonl': lines })
  expect(words).toEqual(['One.', 'a', 'Other.', 'c'])
  expect(sessions).toHaveLength(2)
})

test('what calls put in may be more than a commit holds', async () => {
  const ids = Array.from({ length: 9 }, (_, nth) => `c${nth}`)
  const large = (nth: number, parent: number, callId: string) => ({
    ...says(nth, parent, 'A'.repeat(2_000_000)),
    ...{ isMeta: true, sourceToolUseID: callId },
  })
  const lines = [
    says(1, null, 'Read.'),
    ...ids.map((id, nth) => answers(10 + nth, nth === 0 ? 1 : 9 + nth, 'msg_1', calls(id, 'Read'))),
    ...ids.flatMap((id, nth) => [result(30 + 2 * nth, 10 + nth, id), large(31 + 2 * nth, 30 + 2 * nth, id)]),
    answers(60, 47, 'msg_2', text('Done.')),
  ]
  const { words, view } = await imported({ 's.jsonl': lines })
  expect(words.filter((each) => each?.startsWith('AAA'))).toHaveLength(9)
  expect(words.at(-1)).toBe('Done.')
  expect(view.counters).toMatchObject({ roundCount: 2, completionTokens: 10 })
})

test('what a call put in stands behind the answer that made the call', async () => {
  const lines = [
    says(1, null, 'Go.'),
    answers(2, 1, 'msg_1', calls('c1', 'Skill')),
    result(3, 2, 'c1'),
    answers(4, 3, 'msg_2', calls('c2')),
    skill(5, 4, 'c1'),
    result(6, 5, 'c2'),
    answers(7, 6, 'msg_3', text('Done.')),
  ]
  const words = (await imported({ 's.jsonl': lines })).words
  expect(words).toEqual([
    'Go.',
    'tool_call',
    'ok',
    'Base directory for this skill: /skills/pdf',
    'tool_call',
    'ok',
    'Done.',
  ])
})
