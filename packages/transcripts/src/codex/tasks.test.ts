/** Codex tells where a task begins and ends. */
import { expect, test } from 'vitest'
import { allMessages } from '../testing/imported.ts'
import { asked, event, imported, line, meta, spoken } from './testing/rollout.ts'

const item = (seconds: number, payload: object) => line(seconds, 'response_item', payload)
const begins = (seconds: number) => event(seconds, 'task_started', { turn_id: `${seconds}` })
const ends = (seconds: number) => event(seconds, 'task_complete', { turn_id: `${seconds}` })

test('a call of a task that is over gets no result from the next, wherever the file was cut', async () => {
  const lines = [
    ...[meta(), begins(1), ...asked(1, 'one'), spoken(2, 'assistant', 'To one'), ends(3)],
    ...asked(4, 'two'),
    item(5, { type: 'function_call', name: 'run', arguments: '{}', call_id: 'call' }),
    ...[begins(6), item(7, { type: 'function_call_output', call_id: 'call', output: 'late' })],
    spoken(8, 'assistant', 'To two'),
  ]
  for (let cut = 1; cut <= lines.length; cut++) {
    const { session } = await imported(lines, [cut])
    const parts = (await allMessages(session)).flatMap((message) => message.parts)
    const [result] = parts.filter(({ type }) => type === 'tool_result')
    expect(JSON.stringify(result), `cut at ${cut}`).not.toContain('late')
  }
})
