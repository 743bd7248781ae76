import { describe, expect, test } from 'vitest'
import { messagesInView, viewStateOf } from '../../context/view.ts'
import { answers, calls, result, says, startRun } from '../testing/commands.ts'
import { TestLog, worker } from '../testing/log.ts'
import { outcomeOf } from '../testing/states.ts'

const own = { own: true }

function running(): TestLog {
  const log = TestLog.create()
  log.do(says('go', { id: 'go' }))
  log.do(startRun())
  return log
}

function shown(log: TestLog): string[] {
  return messagesInView(log.events, viewStateOf(log.state)).map((message) => message.id)
}

describe('input during a run', () => {
  test('is refused, waits for the end, or waits for the next round', () => {
    const log = running()
    expect(outcomeOf(log, says('x', {}, 'reject'))).toBe('run_live')
    log.doAll([says('later', { id: 'later' }), says('soon', { id: 'soon' }, 'steer')])
    expect(shown(log)).toEqual(['go'])
    log.doAll([{ type: 'startRound' }, { type: 'completeRound' }], own)
    expect(shown(log)).toEqual(['go', 'soon'])
    log.do({ type: 'completeRun' }, own)
    expect(shown(log)).toEqual(['go', 'soon', 'later'])
  })

  test('that interrupts asks a live run to stop', () => {
    const log = running()
    expect(log.types(says('stop that', { id: 'new' }, 'interrupt'))).toEqual([
      'message.appended',
      'run.stop_requested',
    ])
    expect(shown(log)).toEqual(['go'])
  })

  test('that interrupts a suspended run, which has no worker, cancels it at once', () => {
    const log = running()
    log.doAll([{ type: 'startRound' }, calls('c1')], own)
    log.do(says('waits', { id: 'waits' }))
    log.do({ type: 'suspendRun', reason: 'approval' }, own)
    expect(log.types(says('never mind', { id: 'new' }, 'interrupt'))).toEqual([
      'tool.finished',
      'run.cancelled',
      'input.delivered',
      'message.appended',
    ])
    expect(shown(log).slice(-2)).toEqual(['waits', 'new'])
    expect(log.head).toMatchObject({ openCalls: [], waiting: [], run: { state: 'cancelled' } })
  })

  test('cannot be answered before the run has seen it', () => {
    const log = running()
    log.do(says('later', { id: 'later' }))
    expect(outcomeOf(log, answers('x', { replyTo: 'later' }), own)).toBe('invalid_input')
    expect(outcomeOf(log, answers('x', { replyTo: 'go' }), own)).toBe('message.appended')
  })
})

test('an answer counts once, for the message it replies to, even when many are unanswered', () => {
  const log = TestLog.create()
  for (let i = 0; i < 40; i++) log.do(says('q', { id: `q${i}` }))
  log.doAll([
    answers('a', { replyTo: 'q2' }),
    answers('a', { replyTo: 'q2' }),
    answers('a', { replyTo: 'q39' }),
  ])
  expect(log.head.counters.exchangeCount).toBe(2)
})

test('an answer names a message by its seq, and no other event', () => {
  const log = TestLog.create()
  log.doAll([says('one'), calls('c1'), result('c1'), says('two', { id: 'two' }), says('three')])
  const replied = (seq: number) => [
    outcomeOf(log, says('x', { replyTo: `${seq}` })),
    outcomeOf(log, answers('x', { replyTo: `${seq}` })),
  ]
  const outcomes = log.events.map(({ type, seq }) => [type, ...replied(seq)])
  const taken = ['message.appended', 'message.appended']
  const refused = ['invalid_input', 'invalid_input']
  expect(outcomes).toEqual([
    ['session.created', ...refused],
    ['session.activated', ...refused],
    ['message.appended', ...taken],
    ['message.appended', ...taken],
    ['tool.called', ...refused],
    ['tool.finished', ...taken],
    ['message.appended', ...taken],
    ['message.appended', ...taken],
  ])
  expect([replied(0), replied(99)]).toEqual([refused, refused])
})

test('results are appended by whoever made the calls, once, and late ones become notes', () => {
  const log = running()
  log.doAll([{ type: 'startRound' }, calls('c1', 'c2')], own)
  expect(outcomeOf(log, result('c1'))).toBe('run_live')
  expect([outcomeOf(log, result('c1'), own), outcomeOf(log, result('c1'), own)]).toEqual([
    'tool.finished',
    'nothing',
  ])
  log.nowMs += worker.ttlMs
  log.do({ type: 'takeOverRun', owner: 'worker-2', ttlMs: 1_000 })
  log.do({ type: 'closeCalls', reason: 'recovery' }, own)
  expect([outcomeOf(log, result('c2', 'real')), outcomeOf(log, result('c9'))]).toEqual([
    'note.added',
    'call_not_open',
  ])
})

describe('undo and redo', () => {
  test('bring back no call that nobody can answer', () => {
    const log = TestLog.create()
    log.doAll([says('go', { id: 'go' }), calls('c1')])
    expect(log.types({ type: 'undo' })).toEqual(['tool.finished', 'message.truncated'])
    expect(shown(log)).toEqual([])
    log.do({ type: 'redo' })
    expect(shown(log)).toHaveLength(3)
    expect(log.head.openCalls).toEqual([])
  })

  test('a fork takes in what waited at its seq, and counts its answer', () => {
    const log = running()
    log.do(says('later', { id: 'later' }))
    const fork = log.fork(log.head.seq)
    expect(shown(fork)).toEqual(['go', 'later'])
    expect(fork.head).toMatchObject({ waiting: [], unanswered: ['go', 'later'], lastUser: { id: 'later' } })
    fork.do(answers('both'))
    expect(fork.head.counters).toMatchObject({ messageCount: 3, exchangeCount: 1 })
  })
})
