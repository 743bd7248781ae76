import { message, session } from '@holdfast/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { erasedEvent } from './erased-event.ts'
import { fold } from './fold/index.ts'
import { messageOf } from './messages.ts'
import type { FoldEvent, State } from './state.ts'
import { calls, result, says, startRun } from './testing/commands.ts'
import { TestLog, worker } from './testing/log.ts'
import { sessionView } from './view.ts'

test('a view has the shape of the protocol, and nothing that is absent', () => {
  const log = TestLog.create({
    ttlSecs: 60,
    ttlSliding: true,
    title: 'T',
    goalText: 'g',
    purpose: 'autonomous',
  })
  log.doAll([says('hi'), startRun()])
  const view = sessionView(log.state, log.lease, log.nowMs)
  expect(session.parse(view)).toEqual(view)
  expect(view.run).toEqual({
    runId: 'made-1',
    state: 'initializing',
    startedAt: view.createdAt,
    stopRequested: false,
    epoch: 1,
    owner: worker.owner,
    leaseExpiresAt: '2026-01-02T03:04:35.000Z',
    lost: false,
  })
})

test('a run that holds no lease shows no owner', () => {
  const log = TestLog.create()
  log.do(startRun())
  log.do({ type: 'suspendRun', reason: 'shutdown' }, { own: true })
  const { run } = sessionView(log.state, { ...log.lease, owner: 'somebody' }, log.nowMs)
  expect(run).not.toHaveProperty('owner')
  expect(run?.lost).toBe(false)
})

test('a part that was not loaded is a fault of the caller, not an empty field', () => {
  const { head, parts } = TestLog.create().state
  const { tasks: _tasks, ...others } = parts
  expect(() =>
    sessionView({ head, parts: others }, { epoch: 0, owner: undefined, expiresAtMs: undefined }, 0),
  ).toThrow('part "tasks" was not loaded')
})

test('the error of a failed run is whole in the log and short in the head', () => {
  const log = TestLog.create()
  log.do(startRun())
  log.do({ type: 'failRun', error: '😀'.repeat(4_000) }, { own: true })
  expect(JSON.stringify(log.head).length).toBeLessThan(4 * 1024)
  expect(log.head.run?.error?.isWellFormed()).toBe(true)
})

test('an event that carries a message is that message; a tool result is the tool message', () => {
  const log = TestLog.create()
  const named = says('hi', { id: 'm1', author: 'p1', neverCompress: true, citations: [{ source: 's' }] })
  log.doAll([named, calls('c1'), { ...result('c1', { ok: 1 }), provider: { id: 'x' } }])
  const messages = log.events.flatMap((event) => messageOf(event) ?? [])
  expect(messages.map((read) => message.parse(read))).toEqual(messages)
  expect(messages[0]).toMatchObject({
    id: 'm1',
    seq: 3,
    author: 'p1',
    neverCompress: true,
    citations: [{ source: 's' }],
  })
  expect(messages[1]).toMatchObject({ id: '4', phase: 'commentary' })
  expect(messages[2]).toMatchObject({
    role: 'tool',
    parts: [{ type: 'tool_result', callId: 'c1', output: { ok: 1 }, provider: { id: 'x' } }],
  })
})

test('an erased message keeps its place, its role and its calls, and folds to the same counts', () => {
  const log = TestLog.create()
  log.doAll([says('secret', { id: 'm1' }), calls('c1'), result('c1', 'secret'), says('more')])
  fc.assert(
    fc.property(fc.subarray(log.events.map((event) => event.seq)), (seqs) => {
      let state: State | undefined
      const events = log.events.map((event): FoldEvent => {
        const erase = seqs.includes(event.seq)
        return erase ? erasedEvent(event) : event
      })
      for (const event of events) state = fold(state, event)
      expect(state?.head.counters).toEqual(log.head.counters)
      expect(state?.head.openCalls).toEqual([])
      for (const event of events) {
        const read = messageOf(event)
        if (read && seqs.includes(event.seq)) expect(read).toMatchObject({ erased: true, seq: event.seq })
        if (read) expect(message.parse(read)).toEqual(read)
      }
    }),
  )
})
