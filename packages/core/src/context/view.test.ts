import { describe, expect, test } from 'vitest'
import { answers, calls, compacts, result, says, startRun } from '../session/testing/commands.ts'
import { TestLog } from '../session/testing/log.ts'
import { providerView } from './provider-view.ts'
import { contextView, coveredMessages, messagesInView, viewStateOf } from './view.ts'

const own = { own: true }

function shown(log: TestLog): string[] {
  return contextView(log.events, viewStateOf(log.state)).map((item) => {
    if (item.type === 'message') return item.message.id
    return item.type === 'summary' ? `(${item.text})` : `late ${item.callId}`
  })
}

function talk(pairs: number): TestLog {
  const log = TestLog.create()
  for (let i = 1; i <= pairs; i++) log.doAll([says('q', { id: `u${i}` }), answers('a', { id: `a${i}` })])
  return log
}

function seqOf(log: TestLog, id: string): number {
  return (
    messagesInView(log.events, viewStateOf(log.state)).find((message) => message.id === id)?.seq ?? Number.NaN
  )
}

function compact(log: TestLog, from: string, to: string, summary: string): void {
  log.do(
    compacts({ from: seqOf(log, from), to: seqOf(log, to) }, log.head.pathSeq, {
      summary,
      compactionId: `${from}-${to}`,
    }),
  )
}

describe('the view', () => {
  test('shows a waiting message where it was delivered, and not before', () => {
    const log = talk(1)
    log.doAll([startRun()])
    log.do(says('steer', { id: 'steered' }, 'steer'))
    log.doAll([{ type: 'startRound' }, calls('c1')], own)
    log.do(says('wait', { id: 'waits' }))
    expect(shown(log)).toEqual(['u1', 'a1', 'steered', String(log.head.callsFrom)])
    log.doAll([result('c1'), { type: 'completeRound' }, { type: 'completeRun' }], own)
    expect(shown(log).at(-1)).toBe('waits')
    expect(messagesInView(log.events, viewStateOf(log.state)).at(-1)).not.toHaveProperty('waiting')
  })

  test('puts a summary in place of what it covers; the messages stay readable', () => {
    const log = talk(4)
    compact(log, 'u2', 'a3', 'Middle.')
    expect(shown(log)).toEqual(['u1', 'a1', '(Middle.)', 'u4', 'a4'])
    expect([...coveredMessages(log.events, viewStateOf(log.state))]).toEqual(['u2', 'a2', 'u3', 'a3'])
    expect(messagesInView(log.events, viewStateOf(log.state))).toHaveLength(8)
  })

  test('keeps protected messages, in order, after the summary of their range', () => {
    const log = TestLog.create()
    log.doAll([
      says('q', { id: 'u1' }),
      says('rules', { id: 'rules', role: 'system' }),
      says('pin', { id: 'pin', neverCompress: true }),
      answers('a', { id: 'a1' }),
      says('q', { id: 'u2' }),
    ])
    compact(log, 'u1', 'a1', 'S.')
    expect(shown(log)).toEqual(['(S.)', 'rules', 'pin', 'u2'])
  })

  test('protects a call and its results together', () => {
    const log = TestLog.create()
    const kept = calls('c1', 'c2')
    log.doAll([
      says('q', { id: 'u1' }),
      { ...kept, message: { ...kept.message, id: 'calls', neverCompress: true } },
      result('c1'),
      result('c2'),
      answers('a', { id: 'a1' }),
    ])
    compact(log, 'u1', 'a1', 'S.')
    expect(shown(log)).toHaveLength(4)
    expect(
      providerView(contextView(log.events, viewStateOf(log.state))).map((message) => message.role),
    ).toEqual(['user', 'assistant', 'tool', 'tool'])
  })

  test('shows no output shortened that is protected with its call', () => {
    const log = TestLog.create()
    const kept = calls('c1')
    log.doAll([
      { ...kept, message: { ...kept.message, neverCompress: true } },
      { ...result('c1'), output: 'x'.repeat(10_000) },
    ])
    log.do({ type: 'trimContext', trimmed: 1, throughSeq: log.head.seq })
    expect(JSON.stringify(contextView(log.events, viewStateOf(log.state)))).toContain('x'.repeat(10_000))
  })

  test('shows a summary whose event a truncation took off the path, and none whose text was erased', () => {
    const log = talk(3)
    compact(log, 'u1', 'a1', 'S.')
    log.do({ type: 'truncate', seq: seqOf(log, 'a2') })
    expect(shown(log)).toEqual(['(S.)', 'u2', 'a2'])
    const erased = log.events.map((event) =>
      event.type === 'compaction.applied' ? { ...event, data: { erased: true } } : event,
    )
    expect(contextView(erased, viewStateOf(log.state))).toHaveLength(2)
  })

  test('follows edits, undo and redo', () => {
    const log = talk(2)
    log.do({
      type: 'edit',
      messageId: 'u2',
      message: { id: 'better', role: 'user', parts: [{ type: 'text', text: 'x' }] },
    })
    expect(shown(log)).toEqual(['u1', 'a1', 'better'])
    log.do({ type: 'undo' })
    expect(shown(log)).toEqual(['u1', 'a1'])
    log.do({ type: 'undo' })
    expect(shown(log)).toEqual([])
    log.doAll([{ type: 'redo' }, { type: 'redo' }])
    expect(shown(log)).toEqual(['u1', 'a1', 'better'])
  })

  test('a summary made between an undo and its redo does not hide what the redo brings back', () => {
    const log = talk(2)
    log.do({ type: 'undo' })
    log.do(compacts({ from: 1, to: log.head.seq }, log.head.pathSeq, { summary: 'S.' }))
    expect(shown(log)).toEqual(['(S.)'])
    log.do({ type: 'redo' })
    expect(shown(log)).toEqual(['u1', 'a1', 'u2', 'a2'])
  })

  test('shortens old tool outputs once they are trimmed, oversized ones always, and the stored ones never', () => {
    const log = TestLog.create()
    log.doAll([calls('c1'), result('c1', 'x'.repeat(5_000))])
    const old = log.head.seq
    log.doAll([
      calls('c2'),
      result('c2', 'y'.repeat(5_000)),
      calls('c3'),
      result('c3', 'z'.repeat(300 * 1024)),
    ])
    log.do({ type: 'trimContext', trimmed: 1, throughSeq: old })
    const sizes = (items: { parts: unknown }[]) => items.map((item) => JSON.stringify(item.parts).length)
    const tools = contextView(log.events, viewStateOf(log.state)).flatMap((item) =>
      item.type === 'message' && item.message.role === 'tool' ? [item.message] : [],
    )
    const [first = 0, second = 0, third = 0] = sizes(tools)
    expect([first < 2_000, second > 5_000, third < 230 * 1024]).toEqual([true, true, true])
    const stored = sizes(
      messagesInView(
        log.events,
        viewStateOf({ ...log.state, parts: { ...log.state.parts, context: null } }),
      ).filter((message) => message.role === 'tool'),
    )
    expect(stored.map((size) => size > 5_000)).toEqual([true, true, true])
    expect(stored[2]).toBeGreaterThan(300 * 1024)
  })

  test('the same events give the same bytes', () => {
    const log = talk(3)
    compact(log, 'u1', 'a2', 'S.')
    const bytes = () => JSON.stringify(providerView(contextView(log.events, viewStateOf(log.state))))
    expect(bytes()).toBe(bytes())
  })
})
