/** What Claude Code began to write into its files since the samples were made. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { importFile } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import { allMessages, openMemory, temporaryFolder } from '../testing/imported.ts'

const timestamp = '2026-09-01T04:05:06.789Z'
const usage = { input_tokens: 10, output_tokens: 50, output_tokens_details: { thinking_tokens: 40 } }

function line(type: string, uuid: string, parentUuid: string | null, message: object) {
  return { type, uuid, parentUuid, sessionId: 's', timestamp, message }
}

const prompt = line('user', 'u1', null, { role: 'user', content: 'Fix the tests.' })
const reply = (uuid: string, parent: string, ...content: object[]) =>
  line('assistant', uuid, parent, {
    id: `msg_${uuid}`,
    role: 'assistant',
    model: 'claude-opus-5',
    content,
    usage,
  })
const call = reply('a1', 'u1', { type: 'tool_use', id: 'c1', name: 'Bash', input: {} })
const content = [{ type: 'tool_result', tool_use_id: 'c1', content: 'ok' }]
const result = line('user', 'u2', 'a1', { role: 'user', content })
const queued = (prompt: string | object[], beside: object) => {
  return { type: 'attachment', timestamp, attachment: { type: 'queued_command', prompt, ...beside } }
}

async function imported(...lines: object[]) {
  const path = join(temporaryFolder(), 'made.jsonl')
  writeFileSync(path, lines.map((each) => `${JSON.stringify(each)}\n`).join(''))
  const holdfast = await openMemory()
  const { report } = await importFile(holdfast, path)
  return { report, session: await holdfast.sessions.open(sessionIdOf('default', 'claude-code', 'made')) }
}

const text = (words: string) => [{ type: 'text', text: words }]

test.each([
  [
    'what a user typed meanwhile',
    'And lint.',
    { commandMode: 'prompt', origin: { kind: 'human' } },
    undefined,
    text('And lint.'),
  ],
  ['without more about it', 'And lint.', {}, undefined, text('And lint.')],
  ['in blocks', text('And lint.'), { commandMode: 'prompt' }, undefined, text('And lint.')],
  [
    'what a task told',
    'Task 7 ended.',
    { commandMode: 'task-notification', origin: { kind: 'task-notification' } },
    'claude-code',
    text('Task 7 ended.'),
  ],
])(
  '%s is said between the rounds, with a uuid of its own or without',
  async (_what, said, beside, author, parts) => {
    const answer = (parent: string) => reply('a2', parent, { type: 'text', text: 'Done.' })
    const own = { ...queued(said, beside), uuid: 'q1', parentUuid: 'u2' }
    for (const lines of [
      [queued(said, beside), answer('u2')],
      [own, answer('q1')],
    ]) {
      const { session, report } = await imported(prompt, call, result, ...lines)
      const messages = await allMessages(session)
      expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'user', 'assistant'])
      expect(messages[3]).toMatchObject({ parts, ...(author && { author }) })
      expect(messages[3]?.author).toBe(author)
      expect(report.keptOpaque.size).toBe(0)
    }
  },
)

test('other attachments are kept, and nothing blank is said', async () => {
  const reminder = { type: 'attachment', timestamp, attachment: { type: 'task_reminder', content: [] } }
  const foreign = queued([{ type: 'tool_use', id: null }], {})
  const { session, report } = await imported(prompt, reminder, queued('  ', {}), foreign, call, result)
  expect((await allMessages(session)).map(({ role }) => role)).toEqual(['user', 'assistant', 'tool'])
  expect(report.keptOpaque.get('attachment')).toBe(3)
})

const titled = (aiTitle: string) => ({ type: 'ai-title', aiTitle, sessionId: 's' })
const named = (customTitle: string) => ({ type: 'custom-title', customTitle, sessionId: 's' })

test.each([
  ['the words of the user', [], 'Fix the tests.'],
  ['what the program says of it', [titled('Tests'), titled('Mended tests')], 'Mended tests'],
  ['what the user calls it, before all else', [named('Monday'), titled('Mended tests')], 'Monday'],
  ['nothing blank', [titled('  ')], 'Fix the tests.'],
])('a session is called by %s', async (_what, titles, title) => {
  const { session } = await imported(prompt, call, result, ...titles)
  expect((await session.view()).title).toBe(title)
})

test('thinking is told apart from the output that it is in', async () => {
  const { session } = await imported(prompt, call, result)
  expect((await session.view()).counters).toMatchObject({ completionTokens: 50, reasoningTokens: 40 })
})

test('a session in which nothing was said is one, with what its file notes', async () => {
  const { report, session } = await imported(
    { type: 'permission-mode', permissionMode: 'default', sessionId: 's' },
    { type: 'custom-title', customTitle: 'Later', sessionId: 's' },
    { type: 'last-prompt', lastPrompt: '', sessionId: 's' },
  )
  expect((await session.view()).title).toBe('Later')
  expect(Object.fromEntries(report.keptOpaque)).toEqual({
    'permission-mode': 1,
    'custom-title': 1,
    'last-prompt': 1,
  })
})

test.each([
  [
    'text',
    '<persisted-output>\nOutput too large (34KB). Full output saved to: C:\\x\\tool-results\\b1.txt\n\nPreview: a',
  ],
  ['parts', [{ type: 'text', text: 'Output has been saved to /x/tool-results/mcp-1.json.' }]],
])(
  'an output whose rest lies in a file beside is what the model saw, as %s, and that is told',
  async (_how, content) => {
    const kept = line('user', 'u2', 'a1', {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'c1', content }],
    })
    const { report, session } = await imported(prompt, call, kept)
    expect(report.dropped.get('whole outputs, kept in files beside')).toBe(1)
    expect(JSON.stringify(await allMessages(session))).toContain('tool-results')
  },
)
