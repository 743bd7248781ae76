/** What every format must do, run on each of them with a sample of its own. A new format adds a row to `samples`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transcripts } from '../src/testing/imported.ts'

export interface Sample {
  format: string
  /** Name of the file; the format must be found without it. */
  file: string
  text: string
  /** The text with one more exchange at its end. */
  longer: string
  /** The text with something in its middle that cannot be read; undefined: such a file is refused from there on. */
  broken: { text: string; line: number } | undefined
}

const claude = readFileSync(
  join(transcripts, 'claude-code/4b2030ed-5563-49ea-b703-6a002f2d3cc8/subagents/agent-a2018e5.jsonl'),
  'utf8',
).replaceAll('"isSidechain":true', '"isSidechain":false')

const chat = [
  { role: 'system', content: 'You help.' },
  { role: 'user', content: 'What is the weather in Bern?' },
  {
    role: 'assistant',
    content: null,
    tool_calls: [chatCall('c1', '{"city":"Bern"}'), chatCall('c2', '{"city": "Basel"}')],
  },
  { role: 'tool', tool_call_id: 'c1', content: 'rain' },
  { role: 'tool', tool_call_id: 'c2', content: 'sun' },
  { role: 'assistant', content: 'Rain in Bern, sun in Basel.' },
]
const chatMore = [
  { role: 'user', content: 'And tomorrow?' },
  { role: 'assistant', content: 'Nobody knows.' },
]

function chatCall(id: string, text: string) {
  return { id, type: 'function', function: { name: 'weather', arguments: text } }
}

const items = [
  { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Look it up.' }] },
  { type: 'reasoning', summary: [{ type: 'summary_text', text: 'I search.' }], encrypted_content: 'gAAAA' },
  { type: 'function_call', name: 'search', arguments: '{"q": 1}', call_id: 'c1' },
  { type: 'custom_tool_call', name: 'patch', input: '*** Begin', call_id: 'c2', status: 'completed' },
  { type: 'function_call_output', call_id: 'c1', output: 'found' },
  { type: 'custom_tool_call_output', call_id: 'c2', output: 'done' },
  { type: 'web_search_call', status: 'completed' },
  {
    type: 'message',
    role: 'assistant',
    content: [{ type: 'output_text', text: 'Here it is.' }],
    phase: 'final_answer',
  },
]
const itemsMore = [
  { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Thanks.' }] },
  { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Any time.' }] },
]

function rollout(list: readonly object[]): string[] {
  return list.map((payload) =>
    JSON.stringify({ timestamp: '2026-02-03T04:05:06.789Z', type: 'response_item', payload }),
  )
}

function tokens(input: number, output: number): string {
  const total = {
    input_tokens: input,
    cached_input_tokens: 5,
    output_tokens: output,
    reasoning_output_tokens: 1,
    total_tokens: input + output,
  }
  const payload = {
    type: 'token_count',
    info: { total_token_usage: total, last_token_usage: total },
    rate_limits: null,
  }
  return JSON.stringify({ timestamp: '2026-02-03T04:05:07.000Z', type: 'event_msg', payload })
}

const meta = JSON.stringify({
  timestamp: '2026-02-03T04:05:06.000Z',
  type: 'session_meta',
  payload: {
    id: 'codex-sample',
    timestamp: '2026-02-03T04:05:06.000Z',
    cwd: '/work',
    originator: 'codex',
    cli_version: '1.0.0',
  },
})
const context = JSON.stringify({
  timestamp: '2026-02-03T04:05:06.100Z',
  type: 'turn_context',
  payload: { cwd: '/work', model: 'gpt-5.3-codex' },
})
const codexLines = [meta, context, ...rollout(items), tokens(10, 4), tokens(10, 4)]
const codexMore = [...rollout(itemsMore), tokens(25, 7)]

function claudeTurn(text: string, lines: readonly string[]): string[] {
  const last = JSON.parse(lines.at(-1) ?? '{}') as { uuid: string }
  const common = { isSidechain: false, sessionId: 's', timestamp: '2026-05-06T07:08:09.000Z' }
  const [prompt, answer] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002']
  const content = [{ type: 'text', text: 'Done.' }]
  const usage = { input_tokens: 3, output_tokens: 2 }
  const reply = { id: 'msg_more', role: 'assistant', model: 'claude-opus-4-5', content, usage }
  return [
    JSON.stringify({
      ...common,
      type: 'user',
      uuid: prompt,
      parentUuid: last.uuid,
      message: { role: 'user', content: text },
    }),
    JSON.stringify({ ...common, type: 'assistant', uuid: answer, parentUuid: prompt, message: reply }),
  ]
}

function ofLines(format: string, lines: readonly string[], more: readonly string[]): Sample {
  const text = `${lines.join('\n')}\n`
  const broken = [...lines.slice(0, -1), '{"no end', lines.at(-1)]
  return {
    format,
    file: 'sample.jsonl',
    text,
    longer: `${text}${more.join('\n')}\n`,
    broken: { text: `${broken.join('\n')}\n`, line: lines.length },
  }
}

const claudeLines = claude.trimEnd().split('\n')

export const samples: readonly Sample[] = [
  ofLines('claude-code', claudeLines, claudeTurn('More?', claudeLines)),
  ofLines('codex', codexLines, codexMore),
  ofLines(
    'openai-chat',
    chat.map((message) => JSON.stringify(message)),
    chatMore.map((message) => JSON.stringify(message)),
  ),
  {
    format: 'openai-chat',
    file: 'sample.json',
    text: JSON.stringify([{ task_id: 1, trial: 0, traj: chat }], undefined, 2),
    longer: JSON.stringify([{ task_id: 1, trial: 0, traj: [...chat, ...chatMore] }], undefined, 2),
    broken: { text: `[${JSON.stringify({ task_id: 1, trial: 0, traj: chat })}, {"no": tru}]`, line: 2 },
  },
  {
    format: 'openai-responses',
    file: 'sample.json',
    text: JSON.stringify(items),
    longer: JSON.stringify([...items, ...itemsMore]),
    broken: {
      text: `[${items.map((item) => JSON.stringify(item)).join(',')}, {"no": tru}]`,
      line: items.length + 1,
    },
  },
]
