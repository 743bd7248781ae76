/** Forks of versions that did not say so: the meta of the file that was copied stands behind their own. */
import { expect, test } from 'vitest'
import { asked, event, imported, line, meta, spoken } from './testing/rollout.ts'

const counted = (seconds: number, input_tokens: number, last: number) =>
  event(seconds, 'token_count', {
    info: {
      total_token_usage: { input_tokens, output_tokens: 1 },
      last_token_usage: { input_tokens: last, output_tokens: 0 },
    },
  })
const parent = (seconds: number) => line(seconds, 'session_meta', { id: 'parent', cwd: '/work' })
const copied = [
  parent(60.012),
  ...asked(60.012, 'first'),
  spoken(60.013, 'assistant', 'one'),
  counted(60.013, 100, 100),
  counted(60.014, 300, 200),
]
const own = [...asked(90, 'second'), spoken(95, 'assistant', 'two'), counted(95, 700, 400)]

async function told(lines: readonly object[], cuts: readonly number[]) {
  const { session } = await imported(lines, cuts)
  const { title, counters } = await session.view()
  return { title, spent: counters.promptTokens, messages: counters.messageCount }
}

test('what was counted in the copy is not paid for again, wherever the file was cut', async () => {
  const lines = [meta({}, 60), ...copied, ...own]
  for (let cut = 1; cut <= lines.length; cut++)
    expect(await told(lines, [cut]), `cut at ${cut}`).toEqual({ title: 'second', spent: 400, messages: 4 })
})

test('a copy that took longer to write is one, wherever the file was cut', async () => {
  const slow = [60.9, 61.8, 62.7].flatMap((at, nth) => [...asked(at, `copied ${nth}`), counted(at, 300, 200)])
  const lines = [meta({}, 60), ...copied, ...slow, ...own]
  for (let cut = 1; cut <= lines.length; cut++)
    expect(await told(lines, [cut]), `cut at ${cut}`).toMatchObject({ title: 'second', spent: 400 })
})

test.each([
  ['of the same thread', meta({}, 60.1)],
  ['that comes later', parent(80)],
])('the meta %s begins no copy', async (_which, second) => {
  const lines = [meta({}, 60), second, ...asked(80, 'first'), counted(80.5, 100, 100)]
  expect(await told(lines, [2])).toEqual({ title: 'first', spent: 100, messages: 1 })
})

test('a name that was given behind a meta that comes later is its own', async () => {
  const named = event(80, 'thread_name_updated', { thread_name: 'Named' })
  const lines = [meta({}, 60), parent(80), named, ...asked(80, 'first')]
  expect((await told(lines, [])).title).toBe('Named')
})
