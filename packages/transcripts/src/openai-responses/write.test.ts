import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { exportSession } from '../export-session.ts'
import { importFile } from '../import-paths.ts'
import { openMemory, temporaryFolder } from '../testing/imported.ts'

async function throughHoldfast(items: readonly JsonObject[]) {
  const path = join(temporaryFolder(), 'items.json')
  writeFileSync(path, JSON.stringify(items))
  const holdfast = await openMemory()
  const { imported } = await importFile(holdfast, path, { format: 'openai-responses' })
  let text = ''
  const write = async (piece: string) => {
    text += piece
  }
  const report = await exportSession(holdfast, imported[0]?.sessionId ?? '', 'openai-responses', { write })
  return { items: JSON.parse(text) as JsonObject[], report }
}

const question = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'go' }] }
const answer = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'gone' }] }
const call = { type: 'function_call', call_id: 'a', name: 'look', arguments: '{}' }
const output = { type: 'function_call_output', call_id: 'a', output: 'seen' }
const approval = { type: 'mcp_approval_request', id: 'm', name: 'look', arguments: '{}', server_label: 's' }
const orphan = { type: 'function_call_output', call_id: 'gone', output: 'late' }

test('items that are no part of a conversation are written back, and a result of no call is told of', async () => {
  const { items, report } = await throughHoldfast([question, approval, call, output, orphan, answer])
  expect(items).toEqual([question, approval, call, output, answer])
  expect([...report.dropped]).toEqual([['notes of kind openai_responses.item', 1]])
  expect(report.lines.get('opaque')).toBe(1)
})

test('a response that gave nothing is no item', async () => {
  const usage = { input_tokens: 1, output_tokens: 0 }
  const failed = { id: 'r', object: 'response', status: 'failed', output: [], usage }
  const { items, report } = await throughHoldfast([question, failed, answer])
  expect(items).toEqual([question, answer])
  expect([...report.dropped]).toEqual([['notes of kind openai_responses.item', 1]])
})

test('what another provider sent beside a text is not written', async () => {
  const holdfast = await openMemory()
  const session = await (await holdfast.sessions.create({ agentId: 'agent' })).activate()
  const provider = { openai: { itemId: 'msg_1' } }
  await session.append([
    {
      role: 'user',
      parts: [{ type: 'text', text: 'go', provider: { cache_control: { type: 'ephemeral' } } }],
    },
    { role: 'assistant', parts: [{ type: 'text', text: 'gone', provider }] },
  ])
  let text = ''
  const write = async (piece: string) => {
    text += piece
  }
  await exportSession(holdfast, session.id, 'openai-responses', { write })
  expect(JSON.parse(text)).toEqual([question, answer])
})
