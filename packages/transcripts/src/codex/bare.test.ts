/** Rollouts as Codex wrote them to early September 2025: items with no time, behind a meta without a type. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { detectFormat } from '../formats.ts'
import { allEvents, allMessages, pairingFaults, temporaryFolder } from '../testing/imported.ts'
import { imported, saidIn } from './testing/rollout.ts'

const timestamp = '2025-08-18T01:16:13.522Z'
const state = { record_type: 'state' }
const message = (role: string, text: string) => {
  const type = role === 'user' ? 'input_text' : 'output_text'
  return { type: 'message', id: null, role, content: [{ type, text }] }
}
const picture = { type: 'input_image', image_url: 'data:image/png;base64,iVBORw==' }
const lines = [
  { id: 'made', timestamp, instructions: null, git: { commit_hash: 'abc123', branch: 'main' } },
  state,
  message('user', '<environment_context>\n  <cwd>/Users/x/dev</cwd>\n</environment_context>'),
  state,
  message('user', 'hello'),
  { type: 'message', role: 'user', content: [picture] },
  { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'g' },
  { type: 'function_call', id: 'fc_1', name: 'shell', arguments: '{"a":1}', call_id: 'call_1' },
  state,
  { type: 'function_call_output', call_id: 'call_1', output: 'out' },
  message('assistant', 'hi'),
  state,
]

test('are sessions of their own thread, from when they began, wherever the file was cut', async () => {
  for (let cut = 1; cut <= lines.length; cut++) {
    const { session } = await imported(lines, [cut])
    expect(await session.view()).toMatchObject({
      createdAt: timestamp,
      updatedAt: timestamp,
      title: 'hello',
      metadata: {
        source: { format: 'codex', sourceId: 'made' },
        cwd: '/Users/x/dev',
        git: { commit_hash: 'abc123', branch: 'main' },
      },
    })
    const told = (await allEvents(session)).filter(({ type }) => type !== 'message.truncated')
    expect(told.map(({ at }) => at)).toEqual(told.map(() => timestamp))
    expect((await saidIn(session)).slice(1)).toEqual(['hello', '', 'Hm', '', 'hi'])
    expect(pairingFaults(await allMessages(session))).toEqual([])
  }
})

test('what they tell of a state is kept, and not told of', async () => {
  const { report, session } = await imported(lines)
  expect([...report.keptOpaque]).toEqual([['session_meta', 1]])
  expect(report.lines.get('opaque')).toBe(5)
  expect(JSON.stringify(await allEvents(session)).match(/"record_type":"state"/g)).toHaveLength(4)
})

test('their first line alone tells what they are', async () => {
  const path = join(temporaryFolder(), 'rollout.jsonl')
  for (const begin of [lines.slice(0, 1), lines]) {
    writeFileSync(path, begin.map((each) => `${JSON.stringify(each)}\n`).join(''))
    expect((await detectFormat(path)).name).toBe('codex')
  }
  writeFileSync(
    path,
    JSON.stringify({ id: 'resp_1', object: 'response', instructions: null, output: [lines[2]] }),
  )
  expect((await detectFormat(path)).name).toBe('openai-responses')
})
