/** What the program says in the place of a user. */
import { expect, test } from 'vitest'
import { importFile } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import { answers, save, says, text } from '../testing/claude-lines.ts'
import { allMessages, openMemory, temporaryFolder } from '../testing/imported.ts'

async function imported(...lines: object[]) {
  const folder = temporaryFolder()
  save(folder, { 's.jsonl': lines })
  const holdfast = await openMemory()
  const { report } = await importFile(holdfast, `${folder}/s.jsonl`)
  const session = await holdfast.sessions.open(sessionIdOf('default', 'claude-code', 's'))
  const authors = (await allMessages(session)).map(({ role, author }) => author ?? role)
  return { authors, title: (await session.view()).title, dropped: [...report.dropped.keys()] }
}

const ended = (beside: object) => ({ ...says(1, null, 'Task b1 completed.'), ...beside })
const ofTask = {
  origin: { kind: 'task-notification', producer: 'session-task' },
  turnOrigin: 'task_notification',
  promptSource: 'system',
}

test.each([
  ['of a task that ended', ofTask],
  ['of a task, in earlier versions', { origin: { kind: 'task-notification' } }],
  ['without more about it', { promptSource: 'system' }],
  ['that goes on by itself', { origin: { kind: 'auto-continuation' }, promptSource: 'system', isMeta: true }],
])('a line of the program %s is no word of the user and names no session', async (_what, beside) => {
  const { authors, title } = await imported(
    ended(beside),
    answers(2, 1, 'msg_1', text('Built.')),
    says(3, 2, 'Now lint.'),
  )
  expect(authors).toEqual(['claude-code', 'assistant', 'user'])
  expect(title).toBe('Now lint.')
})

test.each([
  ['typed', { origin: { kind: 'human' }, promptSource: 'typed', turnOrigin: 'human' }],
  ['sent by a program of the user', { promptSource: 'sdk', turnOrigin: 'sdk' }],
  ['without more about them', {}],
])('words that were %s are of the user', async (_what, beside) => {
  const { authors, title } = await imported(ended(beside))
  expect(authors).toEqual(['user'])
  expect(title).toBe('Task b1 completed.')
})

test.each([
  ['nothing of a task', ofTask, []],
  ['nothing of a person', { origin: { kind: 'human' }, promptSource: 'typed', turnOrigin: 'human' }, []],
  ['another session', { origin: { kind: 'peer', name: 'helper' } }, ['origin']],
  ['how it was sent', { promptSource: 'sdk', turnOrigin: 'sdk' }, ['promptSource', 'turnOrigin']],
])(
  'of who spoke it is told as dropped what the author of the message does not say: %s',
  async (_what, beside, told) => {
    const { dropped } = await imported(ended(beside))
    expect(dropped).toEqual(told)
  },
)
