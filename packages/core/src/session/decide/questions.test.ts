import { toTime } from '@holdfast/protocol'
import { describe, expect, test } from 'vitest'
import { isLive } from '../lifecycle.ts'
import { asks, calls, startRun } from '../testing/commands.ts'
import { startMs, TestLog, worker } from '../testing/log.ts'
import { outcomeOf } from '../testing/states.ts'

const own = { own: true }

function asked(fields: Parameters<typeof asks>[1] = {}): TestLog {
  const log = TestLog.create()
  log.do(startRun())
  log.do(asks('q1', fields), own)
  return log
}

function answer(log: TestLog, value: unknown, questionId = 'q1'): string {
  return outcomeOf(log, { type: 'answerQuestion', questionId, answer: value as string })
}

describe('asking', () => {
  test('suspends the run that asks and releases its lease, in one commit', () => {
    const log = asked()
    expect(log.head.run).toMatchObject({ state: 'suspended', suspendReason: 'question' })
    expect(log.lease.owner).toBeUndefined()
    expect(log.head.question).toMatchObject({ questionId: 'q1' })
  })

  test('beside a live run, without its epoch, is refused', () => {
    const log = TestLog.create()
    log.do(startRun())
    expect(outcomeOf(log, asks('q1'))).toBe('run_live')
  })

  test('without a run opens a question all the same', () => {
    expect(outcomeOf(TestLog.create(), asks('q1'))).toBe('question.asked')
  })

  test('while another question is open names that one', () => {
    const log = asked()
    expect(() => log.do(asks('q2'))).toThrow(
      expect.objectContaining({
        code: 'question_open',
        details: expect.objectContaining({ questionId: 'q1' }),
      }),
    )
  })

  test('under an id that was used before is refused, however long ago', () => {
    const log = asked()
    log.do({ type: 'withdrawQuestion', questionId: 'q1' })
    expect(outcomeOf(log, asks('q1'))).toBe('duplicate_id')
  })

  test.each([
    ['nothing could answer', { options: [], allowCustom: false }],
    ['the form is not understood', { form: { $ref: '#' } }],
    ['the default answer is missing', { escalation: { onExpiry: 'default_answer' } }],
    ['the default answer does not fit', { escalation: { onExpiry: 'default_answer', defaultAnswer: 'z' } }],
  ] as const)('is refused when %s', (_why, fields) => {
    expect(outcomeOf(TestLog.create(), asks('q1', fields as Parameters<typeof asks>[1]))).toBe(
      'invalid_input',
    )
  })

  test('with more options than the limit is refused', () => {
    const options = [...Array(65).keys()].map(String)
    expect(outcomeOf(TestLog.create(), asks('q1', { options }))).toBe('limit_exceeded')
  })
})

describe('answering', () => {
  test('with an option closes the question and leaves the run suspended, to be resumed by a worker', () => {
    const log = asked()
    expect(answer(log, 'a')).toBe('question.answered')
    expect(log.events.at(-1)?.data).toEqual({ questionId: 'q1', answer: 'a', custom: false })
    expect(log.head.run?.state).toBe('suspended')
    expect(outcomeOf(log, { type: 'resumeRun', ...worker })).toBe('lease.taken run.resumed')
    expect(isLive(log.head.run)).toBe(true)
  })

  test('resuming waits for the answer', () => {
    expect(outcomeOf(asked(), { type: 'resumeRun', ...worker })).toBe('question_open')
  })

  test.each([['c'], [''], [null], [['a']], [{ a: 1 }]])(
    'with %j, which is no option, leaves it open',
    (value) => {
      const log = asked()
      expect(answer(log, value)).toBe('invalid_answer')
      expect(log.head.question?.questionId).toBe('q1')
    },
  )

  test("with words of one's own is custom, where that is allowed, and never blank", () => {
    const log = asked({ allowCustom: true })
    expect([answer(log, '  '), answer(log, null), answer(log, 'neither')]).toEqual([
      'invalid_answer',
      'invalid_answer',
      'question.answered',
    ])
    expect(log.events.at(-1)?.data).toMatchObject({ custom: true })
  })

  test('a form takes an object that fits it', () => {
    const log = asked({ form: { required: ['n'], properties: { n: { type: 'integer' } } } })
    expect([answer(log, 'a'), answer(log, { n: 'x' }), answer(log, { n: 1 })]).toEqual([
      'invalid_answer',
      'invalid_answer',
      'question.answered',
    ])
  })

  test('an older id names the open one and never resolves it', () => {
    const log = asked()
    answer(log, 'a')
    log.do(asks('q2'))
    expect(() => log.do({ type: 'answerQuestion', questionId: 'q1', answer: 'b' })).toThrow(
      expect.objectContaining({ code: 'question_not_open', details: { questionId: 'q1', open: 'q2' } }),
    )
    expect(log.head.question?.questionId).toBe('q2')
  })

  test('at the very instant of its expiry is too late', () => {
    const log = asked({ expiresAt: toTime(startMs + 1_000) })
    log.nowMs += 1_000
    expect(() => log.do({ type: 'answerQuestion', questionId: 'q1', answer: 'a' })).toThrow(
      expect.objectContaining({
        code: 'question_not_open',
        details: { questionId: 'q1', reason: 'expired' },
      }),
    )
    log.nowMs -= 1
    expect(answer(log, 'a')).toBe('question.answered')
  })
})

describe('a question past its time', () => {
  const expire = { type: 'expireQuestion', questionId: 'q1' } as const
  const expiresAt = toTime(startMs + 1_000)

  test('is not expired early, late, or twice', () => {
    const log = asked({ expiresAt })
    expect(outcomeOf(log, expire)).toBe('nothing')
    log.nowMs += 1_000
    expect([outcomeOf(log, expire), outcomeOf(log, expire)]).toEqual(['question.expired', 'nothing'])
    expect(outcomeOf(asked(), expire)).toBe('nothing')
  })

  test('takes its default answer', () => {
    const log = asked({ expiresAt, escalation: { onExpiry: 'default_answer', defaultAnswer: 'b' } })
    log.nowMs += 1_000
    expect(log.do(expire)[0]?.data).toEqual({ questionId: 'q1', answer: 'b' })
    expect(log.head.run?.state).toBe('suspended')
  })

  test('cancels the suspended run that asked it, and closes its calls', () => {
    const log = TestLog.create()
    log.do(startRun())
    log.doAll(
      [
        { type: 'startRound' },
        calls('c1'),
        asks('q1', { expiresAt, escalation: { onExpiry: 'cancel_run' } }),
      ],
      own,
    )
    log.nowMs += 1_000
    expect(log.types(expire)).toEqual(['question.expired', 'tool.finished', 'run.cancelled'])
    expect(log.head.run?.state).toBe('cancelled')
  })
})

test('a question is withdrawn by its id, and with the run that ends', () => {
  const log = asked()
  expect(outcomeOf(log, { type: 'withdrawQuestion', questionId: 'q0' })).toBe('question_not_open')
  expect(log.types({ type: 'cancelRun' })).toEqual(['question.withdrawn', 'run.cancelled'])
  expect(log.head.question).toBeUndefined()
})
