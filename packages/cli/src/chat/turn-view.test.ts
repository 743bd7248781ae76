import { FollowedEvent, openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import type { Message, MessagePart } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { Output } from '../terminal/output.ts'
import type { Sink, World } from '../terminal/world.ts'
import { said } from '../testing/place.ts'
import { DrawnView } from './turn-view.ts'

/** What a view writes: at a terminal it all goes to the output. */
function drawn(before: readonly Message[] = []) {
  let out = ''
  const sink: Sink = {
    write: async (text) => {
      out += text
    },
    isTerminal: true,
    columns: 80,
    rows: 24,
  }
  const world = { stdout: sink, stderr: sink, env: { NO_COLOR: '1' } } as unknown as World
  const view = new DrawnView(new Output(world, { format: 'text', colour: false }), before)
  let seq = 0
  const event = (type: string, data: object) => {
    seq += 1
    const text = JSON.stringify({
      seq,
      type,
      v: 1,
      at: '2026-11-21T12:00:00.000Z',
      actor: { kind: 'host' },
      data,
    })
    return view.see(new FollowedEvent(seq, type, text))
  }
  return {
    view,
    event,
    message: (role: string, parts: readonly MessagePart[], finish?: string) =>
      event('message.appended', { role, parts, ...(finish && { finish }) }),
    draft: (text: string, kind: 'text' | 'reasoning' = 'text') =>
      view.see({ type: 'draft', cursor: '1', draft: { draftId: 'd', chunk: 1, kind, text } }),
    out: () => out,
  }
}

const text = (words: string): MessagePart => ({ type: 'text', text: words })

test('what was streamed is not said again, and what was not comes with the message', async () => {
  const { message, draft, out } = drawn()
  await draft('hm', 'reasoning')
  await draft('one \u001b[2J')
  await message('assistant', [text('one \u001b[2Jtwo \u001b[3J')])
  await message('assistant', [text('three')])
  await draft('fo')
  await message('assistant', [text('other words')])
  expect(out()).toBe('one ␛[2Jtwo ␛[3J\nthree\nfo\nother words\n')
})

test('an attempt that was given up is told from the next', async () => {
  const { view, message, draft, out } = drawn()
  await draft('one')
  await view.see({ type: 'draft.reset', cursor: '1', draftId: 'd' })
  await draft('two')
  await message('assistant', [text('two')], 'length')
  expect(out()).toBe('one\n— another attempt\ntwo\n— length\n')
})

test('our own input is not repeated; what others say is', async () => {
  const { view, message, out } = drawn()
  view.begin('hello')
  await message('user', [text('hello')])
  await message('user', [text('hello')])
  expect(out()).toBe('you › hello\n')
})

test('a call is a line when its result is there, also of a message from before', async () => {
  const call = (callId: string) => ({
    type: 'tool_call' as const,
    callId,
    name: 'look',
    input: { path: callId },
  })
  await using holdfast = await openHoldfast({ store: memory() })
  const session = await holdfast.sessions.create({ agentId: 'a' })
  await session.append([said('user', 'go'), { role: 'assistant', parts: [call('a.txt')] }])
  const { event, message, draft, out } = drawn((await session.messages()).messages)
  const result = (callId: string, output: string, outcome = 'ok') =>
    event('tool.finished', { callId, output, outcome })
  await result('a.txt', 'seen')
  await draft('I look')
  await message('assistant', [text('I look'), call('b.txt'), call('c.txt')])
  await result('c.txt', 'gone', 'error')
  await result('b.txt', 'seen \u001b]0;too\u0007')
  expect(out()).toBe(
    '▸ look a.txt → seen\nI look\n▸ look c.txt → error, gone\n▸ look b.txt → seen ␛]0;too␇\n',
  )
})

test('a turn ends with what it used, a failed one with why, a stopped one with that', async () => {
  const { view, event, message, draft, out } = drawn()
  const used = { attemptId: 'x', model: 'm', status: 'ok', promptTokens: 1_200, completionTokens: 30 }
  view.begin()
  await event('usage.recorded', { ...used, costMicrocents: 2e6 })
  await event('usage.recorded', used)
  await draft('half')
  await event('run.failed', { runId: 'r', error: 'over\u001b[0mloaded' })
  await view.end()
  view.begin()
  await message('assistant', [text('half')], 'interrupted')
  await event('run.cancelled', { runId: 'r' })
  await view.end()
  view.begin()
  await event('run.cancelled', { runId: 'r' })
  await view.end()
  expect(out().split('\n').slice(0, -1)).toEqual([
    'half',
    '— failed: over␛[0mloaded',
    '· 2 calls · 2.40k in · 60 out · cost ≥$0.020 · m',
    'half',
    '— stopped here',
    '— stopped',
  ])
})

test('what else happens to the session is a remark', async () => {
  const { event, draft, out } = drawn()
  await draft('one')
  await event('lease.lost', { owner: 'worker-1', epoch: 1 })
  await event('child.finished', { childId: 'c', outcome: 'completed' })
  await event('context.measured', {})
  expect(out()).toBe('one\n  — the worker worker-1 was lost #1\n  ↳ child completed holdfast show c\n')
})
