/** What a session is called that nobody has named. */
import { expect, test } from 'vitest'
import { importPaths } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import { answers, save, says, text } from '../testing/claude-lines.ts'
import { openMemory, temporaryFolder } from '../testing/imported.ts'

/** `stages`: the lines of a file as it grew. */
async function titled(...stages: readonly (readonly object[])[]) {
  const folder = temporaryFolder()
  const holdfast = await openMemory()
  for (const lines of stages) {
    save(folder, { 's.jsonl': lines })
    expect((await importPaths(holdfast, [folder])).failed).toEqual([])
  }
  const session = await holdfast.sessions.open(sessionIdOf('default', 'claude-code', 's'))
  return (await session.view()).title
}

const uuid = (nth: number) => `00000000-0000-4000-8000-${String(nth).padStart(12, '0')}`
const summary = (words: string, leaf?: number) => ({
  type: 'summary',
  summary: words,
  ...(leaf !== undefined && { leafUuid: uuid(leaf) }),
})

const talk = [says(1, null, 'Write a haiku.'), answers(2, 1, 'msg_1', text('Snow falls.'))]
const left = [says(3, null, 'Write a limerick.'), answers(4, 3, 'msg_2', text('There was.'))]

test.each([
  ['of another session, before what was said', [summary('Ingress', 91), ...talk], 'Write a haiku.'],
  ['of another session, behind it', [...talk, summary('Ingress', 91)], 'Write a haiku.'],
  ['of this session', [...talk, summary('A haiku', 2)], 'A haiku'],
  ['of a branch that was left', [...talk, ...left, summary('A haiku', 2)], 'A haiku'],
  ['that names no line', [...talk, summary('A haiku')], 'A haiku'],
  [
    'of two, of which one is of another session',
    [...talk, summary('A haiku', 2), summary('Ingress', 91)],
    'A haiku',
  ],
])('a summary names the session that it is of: one %s', async (_what, lines, title) => {
  expect(await titled(lines)).toBe(title)
  for (const cut of lines.keys()) if (cut > 0) expect(await titled(lines.slice(0, cut), lines)).toBe(title)
})

test('also one that stands before what was said', async () => {
  expect(await titled([summary('A haiku', 2), ...talk])).toBe('A haiku')
})

test('a file with nothing but summaries of other sessions has no name', async () => {
  expect(await titled([summary('Ingress', 91), summary('Scraper', 92)])).toBeUndefined()
})

/** As the program writes a command that the model answers, and one that it answers itself. */
const asked = (name: string, args?: string) =>
  `<command-message>${name.slice(1)} is running…</command-message>\n<command-name>${name}</command-name>${
    args === undefined ? '' : `\n<command-args>${args}</command-args>`
  }`
const steered = (name: string, args = '') =>
  `<command-name>${name}</command-name>\n            <command-message>${name.slice(1)}</command-message>\n            <command-args>${args}</command-args>`
const stdout = says(2, 1, '<local-command-stdout>Set model to opus</local-command-stdout>')
const notified =
  '<task-notification>\n<task-id>b1</task-id>\n<status>completed</status>\n</task-notification>'

test.each([
  [
    'a command with what was said with it',
    [says(1, null, asked('/review-pr', '123 focus on security'))],
    '/review-pr 123 focus on security',
  ],
  ['a command alone', [says(1, null, asked('/init'))], '/init'],
  ['the first line of many', [says(1, null, asked('/ask', 'why?\n\nAnd how?'))], '/ask why?'],
  [
    'no command that the program answers itself',
    [says(1, null, steered('/model', 'opus')), stdout, says(3, 2, 'Fix the tests.')],
    'Fix the tests.',
  ],
  [
    'no task that ended',
    [says(1, null, notified), answers(2, 1, 'msg_1', text('Built.')), says(3, 2, 'Now lint.')],
    'Now lint.',
  ],
  [
    'what was said beside remarks of the program',
    [says(1, null, `${notified}\nNow <b>lint</b> it.\nAll of it.`)],
    'Now   it.',
  ],
  ['a tag that is none', [says(1, null, 'Sort a List<string> in <place>')], 'Sort a List<string> in <place>'],
])('a session is named by the first words of its user: %s', async (_what, lines, title) => {
  expect(await titled(lines)).toBe(title)
})

test('a text full of tags is looked through once', async () => {
  expect(await titled([says(1, null, '<a>'.repeat(300_000))])).toHaveLength(80)
  expect(await titled([says(1, null, `${'<a></a>'.repeat(100_000)}Hi.`)])).toBe('Hi.')
})
