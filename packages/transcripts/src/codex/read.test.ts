import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { importFile } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import { openMemory, temporaryFolder } from '../testing/imported.ts'

const timestamp = '2026-09-01T04:05:06.789Z'
const event = (payload: object) => ({ timestamp, type: 'event_msg', payload })

async function imported(lines: readonly object[]) {
  const path = join(temporaryFolder(), 'rollout.jsonl')
  const meta = { timestamp, type: 'session_meta', payload: { id: 'made', cwd: '/work' } }
  writeFileSync(path, [meta, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''))
  const holdfast = await openMemory()
  await importFile(holdfast, path)
  return (await holdfast.sessions.open(sessionIdOf('default', 'codex', 'made'))).view()
}

const item = (type: string, text: string) =>
  event({ type: 'item_completed', item: { type, content: [{ type: 'text', text }] } })

test.each([
  ['a message of a user', [event({ type: 'user_message', message: 'Fix it\nplease' })], 'Fix it'],
  ['an item of a user', [item('UserMessage', 'Fix it'), item('UserMessage', 'And that')], 'Fix it'],
  [
    'none but of the agent',
    [item('AgentMessage', 'Done'), event({ type: 'agent_message', message: 'Done' })],
    undefined,
  ],
])('a session is named by %s', async (_what, lines, title) => {
  expect((await imported(lines)).title).toBe(title)
})

test('what was written to a cache is told apart from the input that it is in', async () => {
  const counted = (input: number, cached: number, written: number) => {
    const total = {
      input_tokens: input,
      cached_input_tokens: cached,
      cache_write_input_tokens: written,
      output_tokens: 5,
    }
    return event({ type: 'token_count', info: { total_token_usage: total } })
  }
  const { counters } = await imported([counted(100, 40, 60), counted(300, 190, 100), counted(300, 190, 100)])
  expect(counters).toMatchObject({ promptTokens: 300, cachedReadTokens: 190, cachedWriteTokens: 100 })
})

test('the call that wrote a summary is paid for, which totals leave out', async () => {
  const recorded = (response_id: string, input_tokens: number) => ({
    timestamp,
    type: 'token_usage_record',
    payload: { response_id, usage: { input_tokens, output_tokens: 1 } },
  })
  const count = event({
    type: 'token_count',
    info: { total_token_usage: { input_tokens: 100, output_tokens: 5 } },
  })
  const said = {
    timestamp,
    type: 'response_item',
    payload: { type: 'message', role: 'user', content: 'Go.' },
  }
  const compacted = (payload: object) => ({
    timestamp,
    type: 'compacted',
    payload: { message: '', ...payload },
  })
  const spent = async (...lines: object[]) => (await imported([said, ...lines])).counters.promptTokens
  const turn = [recorded('resp_1', 100), count]
  expect(await spent(...turn, recorded('resp_2', 900), compacted({ compaction_response_id: 'resp_2' }))).toBe(
    1_000,
  )
  expect(await spent(...turn, recorded('resp_2', 900), compacted({ compaction_response_id: 'resp_3' }))).toBe(
    100,
  )
  expect(await spent(...turn, recorded('resp_2', 900), compacted({ message: 'Summed up.' }))).toBe(100)
})
