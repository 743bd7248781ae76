/** What a session is called. */
import { expect, test } from 'vitest'
import { asked, event, idAt, imported, line, meta, saidIn, spoken } from './testing/rollout.ts'

const fromEditor = (request: string) =>
  `# Context from my IDE setup:\n\n## Active file: a.ts\n\n## My request for Codex:\n${request}`
const named = (seconds: number, thread_name?: string) =>
  event(seconds, 'thread_name_updated', { thread_id: 'made', thread_name })

test('what an editor put around the words of a user is no title, and stays in the message', async () => {
  const words = fromEditor('fix the login bug\nplease')
  const { session } = await imported([meta(), ...asked(1, words)])
  expect((await session.view()).title).toBe('fix the login bug')
  expect(await saidIn(session)).toEqual([words])
})

test('where nothing stands behind it, the next words name the session', async () => {
  const { session } = await imported([meta(), ...asked(1, fromEditor('')), ...asked(2, 'go on')])
  expect((await session.view()).title).toBe('go on')
})

test('the name that a thread was given last counts, wherever the file was cut', async () => {
  const lines = [
    meta(),
    named(1, 'Early'),
    ...asked(2, 'hello'),
    spoken(3, 'assistant', 'Hi.'),
    named(4, 'Fix flaky CI'),
    named(5),
    ...asked(6, 'more'),
  ]
  for (const cut of lines.keys()) {
    const { session } = await imported(lines, [cut + 1])
    expect((await session.view()).title).toBe('Fix flaky CI')
  }
})

const parentId = idAt(0)
const copied = (turn_id?: string) => [
  meta({ id: parentId }, 3),
  event(3, 'task_started', { turn_id }),
  ...asked(3, 'build the app'),
  named(3, 'App'),
]

test.each([
  ['a sub-agent', { parent_thread_id: parentId }],
  ['a fork', { forked_from_id: parentId }],
])('what was said in the history that %s was given names nothing', async (_whose, from) => {
  const beside = { ...from, id: 'made', timestamp: line(3, '', {}).timestamp }
  const turns = (own?: string, copy?: string) => [
    meta(beside, 3),
    ...copied(copy),
    event(9, 'task_started', { turn_id: own }),
    ...asked(9, 'review the css'),
  ]
  for (const lines of [turns(idAt(9), idAt(1)), turns()])
    for (const cuts of [[], [2], [5], [7]]) {
      const { session } = await imported(lines, cuts)
      expect((await session.view()).title).toBe('review the css')
    }
})

test('a sub-agent that was given no history is named by what it was told first, however soon', async () => {
  const lines = [meta({ parent_thread_id: parentId }, 3), ...asked(3, 'review the css')]
  for (const cut of [1, 2, 3]) {
    const { session } = await imported(lines, [cut])
    expect((await session.view()).title).toBe('review the css')
  }
})
