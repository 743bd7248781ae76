/** Turns that the user took back, in the file that they stand in. */
import { join } from 'node:path'
import type { AnySession, Holdfast } from '@holdfast/core'
import { expect, test, vi } from 'vitest'
import { exportSession } from '../export-session.ts'
import { allEvents, allMessages, openMemory, pairingFaults, temporaryFolder } from '../testing/imported.ts'
import {
  asked,
  event,
  idAt,
  imported,
  importText,
  line,
  meta,
  type RolloutLine,
  saidIn,
  sessionIn,
  spoken,
  thread,
} from './testing/rollout.ts'

const back = (seconds: number, num_turns: number) => event(seconds, 'thread_rolled_back', { num_turns })
const context = spoken(0, 'user', '<environment_context>\n  <cwd>/work</cwd>\n</environment_context>')
const rules = spoken(
  0,
  'user',
  '# AGENTS.md instructions for /work\n\n<INSTRUCTIONS>\nBe kind.\n</INSTRUCTIONS>',
)
const counted = (seconds: number, input_tokens: number) =>
  event(seconds, 'token_count', { info: { total_token_usage: { input_tokens, output_tokens: 1 } } })
const turn = (seconds: number, words: string) => [
  ...asked(seconds, words),
  spoken(seconds + 1, 'assistant', `To ${words}`),
  counted(seconds + 1, seconds),
]
const call = (seconds: number) =>
  line(seconds, 'response_item', {
    type: 'function_call',
    name: 'run',
    arguments: '{}',
    call_id: `c${seconds}`,
  })
const summed = (seconds: number) => line(seconds, 'compacted', { message: 'Summed up.' })
const begin = [meta(), rules, context]
const kept = ['# AGENTS', '<environ']

const shortly = (said: readonly string[]) => said.map((text) => text.slice(0, 8))

const cases: [string, object[], string[]][] = [
  [
    'the last turn',
    [...turn(10, 'one'), ...turn(20, 'two'), back(29, 1), ...turn(30, 'three')],
    ['one', 'To one', 'three', 'To three'],
  ],
  ['the first turn', [...turn(10, 'one'), back(19, 1), ...turn(20, 'two')], ['two', 'To two']],
  [
    'two turns',
    [...turn(10, 'one'), ...turn(20, 'two'), ...turn(30, 'three'), back(39, 2)],
    ['one', 'To one'],
  ],
  [
    'more turns than there are',
    [...turn(10, 'one'), ...turn(20, 'two'), back(29, 9), ...turn(30, 'three')],
    ['three', 'To three'],
  ],
  ['no turn', [...turn(10, 'one'), back(19, 0)], ['one', 'To one']],
  ['a turn where none is', [back(9, 1), ...turn(10, 'one')], ['one', 'To one']],
  [
    'one turn and then another',
    [
      ...turn(10, 'one'),
      ...turn(20, 'two'),
      back(29, 1),
      ...turn(30, 'three'),
      back(39, 2),
      ...turn(40, 'four'),
    ],
    ['four', 'To four'],
  ],
  [
    'words that were not answered',
    [...turn(10, 'one'), ...asked(20, 'oops'), ...asked(25, 'oh'), back(29, 1)],
    ['one', 'To one', 'oops'],
  ],
  [
    'words said while a tool was at work',
    [...asked(10, 'one'), call(11), ...asked(20, 'and'), spoken(21, 'assistant', 'So'), back(29, 1)],
    ['one', '', ''],
  ],
  [
    'a turn whose tool is at work still',
    [...turn(10, 'one'), ...asked(20, 'two'), call(21), back(29, 1), ...turn(30, 'three')],
    ['one', 'To one', 'three', 'To three'],
  ],
  [
    'what was summed up',
    [
      ...turn(10, 'one'),
      ...turn(20, 'two'),
      summed(25),
      ...turn(30, 'three'),
      back(39, 2),
      ...turn(40, 'four'),
      summed(45),
      ...turn(50, 'five'),
    ],
    ['one', 'To one', 'four', 'To four', 'five', 'To five'],
  ],
  [
    'a turn with what Codex told before it',
    [...turn(10, 'one'), context, ...turn(20, 'two'), back(29, 1)],
    ['one', 'To one', '<environ'],
  ],
]

test.each(cases)(
  '%s may be taken back, wherever the file was cut by the import before',
  async (_what, lines, said) => {
    const all = [...begin, ...lines]
    const expected = [...kept, ...said].map((text) => text.slice(0, 8))
    const costs = (await imported(all.filter((each) => !JSON.stringify(each).includes('rolled_back'))))
      .session
    const { promptTokens } = (await costs.view()).counters
    for (let cut = 1; cut <= all.length; cut++) {
      const { holdfast, path, session } = await imported(all, [cut])
      expect(shortly(await saidIn(session)), `cut at ${cut}`).toEqual(expected)
      expect((await session.view()).counters.promptTokens, 'all is paid for').toBe(promptTokens)
      expect(pairingFaults(await allMessages(session))).toEqual([])
      expect((await importText(holdfast, path, all)).events, 'once more').toBe(0)
    }
  },
)

test('a turn may be taken back in a file that goes on from the one in which it was said', async () => {
  const [first, later] = [idAt(0), idAt(60)]
  const before = [meta({ id: first }), ...turn(10, 'one'), ...turn(20, 'two')]
  const end_byte_offset = before.reduce((sum, each) => sum + JSON.stringify(each).length + 1, 0)
  const base = { thread_id: first, end_byte_offset }
  const after = [
    meta({ id: first, history_base: base }, 60),
    ...turn(70, 'three'),
    back(79, 2),
    ...turn(80, 'four'),
  ]
  for (let cut = 1; cut <= after.length; cut++) {
    const holdfast = await openMemory()
    const folder = temporaryFolder()
    await importText(holdfast, join(folder, `rollout-${first}.jsonl`), before)
    for (const end of [cut, after.length])
      await importText(
        holdfast,
        join(folder, `rollout-2026-03-01T10-01-00-${first}_${later}.jsonl`),
        after.slice(0, end),
      )
    expect(await saidIn(await sessionIn(holdfast, later))).toEqual(['one', 'To one', 'four', 'To four'])
    expect(await saidIn(await sessionIn(holdfast, first))).toEqual(['one', 'To one', 'two', 'To two'])
  }
})

test('a rollout whose first words are those of an agent at work is no other', async () => {
  const lines = [call(5), ...turn(10, 'one'), ...turn(20, 'two'), back(29, 1)]
  for (let cut = 1; cut <= lines.length; cut++) {
    const holdfast = await openMemory()
    const path = join(temporaryFolder(), 'rollout-made.jsonl')
    for (const end of [cut, lines.length]) await importText(holdfast, path, lines.slice(0, end))
    expect(await saidIn(await sessionIn(holdfast, 'rollout-made'))).toEqual(['', '', 'one', 'To one'])
  }
})

test('they were taken back when the user did so', async () => {
  const { session } = await imported([...begin, ...turn(10, 'one'), back(29, 1)])
  const cuts = (await allEvents(session)).filter(({ type }) => type === 'message.truncated')
  expect(cuts.map(({ at }) => at)).toEqual([back(29, 1).timestamp])
})

async function written(holdfast: Holdfast, { id }: AnySession): Promise<RolloutLine[]> {
  let text = ''
  const write = async (piece: string) => {
    text += piece
  }
  await exportSession(holdfast, id, 'codex', { write })
  return text
    .trimEnd()
    .split('\n')
    .map((each) => JSON.parse(each) as RolloutLine)
}

test('a file that is written back does not take back what is no longer in it', async () => {
  const { holdfast, session } = await imported([
    ...begin,
    ...turn(10, 'one'),
    ...turn(20, 'two'),
    back(29, 1),
  ])
  const again = await written(holdfast, session)
  expect(JSON.stringify(again)).not.toContain('thread_rolled_back')
  expect(shortly(await saidIn((await imported(again)).session))).toEqual([...kept, 'one', 'To one'])
})

const task = (seconds: number, words: string) => [
  event(seconds, 'task_started', { turn_id: words }),
  line(seconds, 'turn_context', { cwd: '/work', summary: words }),
  ...turn(seconds, words),
  event(seconds + 2, 'task_complete', { turn_id: words }),
]
const untold = (seconds: number, words: string) => [
  line(seconds, 'turn_context', { cwd: '/work', summary: words }),
  ...turn(seconds, words),
  call(seconds + 2),
  event(seconds + 2, 'exec_command_begin', { command: words }),
  line(seconds + 3, 'response_item', {
    type: 'function_call_output',
    call_id: `c${seconds + 2}`,
    output: words,
  }),
  line(seconds + 4, 'response_item', { type: 'ghost_snapshot', ghost_commit: words }),
]
const working = (seconds: number, words: string) => [
  event(seconds, 'task_started', { turn_id: words }),
  line(seconds, 'turn_context', { cwd: '/work', summary: words }),
  ...asked(seconds, words),
  call(seconds + 2),
  event(seconds + 2, 'exec_command_begin', { command: words }),
]

test.each([
  ['of tasks', task, task],
  ['of versions without tasks', untold, untold],
  ['of tasks, of which some are at work still,', task, working],
])(
  'lines %s are written back where their turn stands still, wherever the file was cut',
  async (_which, told, cutOff) => {
    const naming = event(28, 'thread_name_updated', { thread_name: 'Named' })
    const later = event(46, 'thread_name_updated', { thread_name: 'Late' })
    const lines = [
      ...[meta(), ...told(10, 'one'), ...cutOff(20, 'two'), back(27, 1)],
      ...[naming, ...told(30, 'three'), ...cutOff(40, 'four'), summed(45), later, back(47, 1)],
    ]
    const standing = [meta(), ...told(10, 'one'), naming, ...told(30, 'three'), later]
    for (let cut = 1; cut <= lines.length; cut++) {
      const { holdfast, session } = await imported(lines, [cut])
      const again = await written(holdfast, session)
      expect(again.filter(isKept).map(shapeOf), `cut at ${cut}`).toEqual(standing.filter(isKept).map(shapeOf))
    }
  },
)

/** Not what was said, done or counted. */
function isKept({ payload }: RolloutLine): boolean {
  return !['info', 'role', 'call_id'].some((field) => field in payload)
}

function shapeOf({ type, payload }: RolloutLine): string {
  const { id: _id, ...rest } = payload as Record<string, unknown>
  return `${type} ${JSON.stringify(rest)}`
}

/** Their places did not say how many turns had begun. */
async function importedAsBefore(lines: readonly object[]) {
  const [holdfast, path] = [await openMemory(), join(temporaryFolder(), `rollout-${thread}.jsonl`)]
  const made = Object.getPrototypeOf(await holdfast.sessions.create({ id: 'any', agentId: 'any' }))
  const write = made.batch as (...args: unknown[]) => unknown
  const batch = vi.spyOn(made, 'batch').mockImplementation(function (this: unknown, ...args: unknown[]) {
    const [commands, ...options] = JSON.parse(JSON.stringify(args))
    for (const { kind, data } of commands) if (kind === 'import.position') delete data.begun
    return write.call(this, commands, ...options)
  })
  await importText(holdfast, path, lines)
  expect(batch).toHaveBeenCalled()
  batch.mockRestore()
  return { holdfast, path }
}

test('what an earlier version read may be taken back too, wherever it had stopped', async () => {
  const read = [...begin, ...turn(10, 'one'), ...turn(20, 'two'), ...turn(30, 'three')]
  const lines = [...read, back(39, 1), ...turn(40, 'four'), back(49, 2), ...turn(50, 'five')]
  for (let cut = 1; cut <= read.length; cut++) {
    const { holdfast, path } = await importedAsBefore(lines.slice(0, cut))
    await importText(holdfast, path, lines)
    const said = await saidIn(await sessionIn(holdfast))
    expect(shortly(said), `cut at ${cut}`).toEqual([...kept, 'one', 'To one', 'five', 'To five'])
  }
})

test('to take back a turn, what was taken back before is not read again', async () => {
  const reads = async (backs: number) => {
    const many = Array.from({ length: backs }, (_, nth) => [...turn(20 + nth, 'again'), back(20 + nth, 1)])
    const { session } = await imported([...begin, ...turn(10, 'one')])
    const events = vi.spyOn(Object.getPrototypeOf(session), 'events')
    await imported([...begin, ...turn(10, 'one'), ...many.flat()])
    const read = events.mock.calls.length
    events.mockRestore()
    return read
  }
  const [some, more] = [await reads(20), await reads(80)]
  expect(some).toBeGreaterThan(0)
  expect(more).toBeLessThan(some * 5)
})
