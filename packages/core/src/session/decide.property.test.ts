import { isHoldfastError } from '@holdfast/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { providerView } from '../context/provider-view.ts'
import { anthropicFaults, openAiFaults } from '../context/validators.ts'
import { contextView, coveredMessages, messagesInView, viewStateOf } from '../context/view.ts'
import { fold, foldAll, foldInPlace } from './fold/index.ts'
import { isUnfinished } from './lifecycle.ts'
import type { FoldEvent, State } from './state.ts'
import { TestLog } from './testing/log.ts'
import { commandOf, type Op, ops, type Step } from './testing/random.ts'
import { type Reference, referenceOf } from './testing/reference.ts'

const often: Op[] = [
  'user',
  'answer',
  'call',
  'result',
  'result',
  'startRun',
  'startRound',
  'completeRound',
  'complete',
  'undo',
  'redo',
  'truncate',
  'compact',
]
const steps = fc.array(fc.record({ op: fc.constantFrom(...ops, ...often), n: fc.nat(1_000) }), {
  minLength: 1,
  maxLength: 90,
  size: 'max',
})
const runs = { numRuns: 300 }

function play(sequence: readonly Step[], log = TestLog.create()): TestLog {
  for (const step of sequence) {
    const { command, caller } = commandOf(log, step)
    const before = log.events.length
    try {
      log.do(command, caller)
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      expect(log.events.length).toBe(before)
    }
  }
  return log
}

/** Whoever changes it, or anything in it, throws. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const item of Object.values(value)) frozen(item)
  return Object.freeze(value)
}

test('a state of one’s own is folded in place, and the one that it was copied from stays as it was', () => {
  fc.assert(
    fc.property(steps, fc.nat(), (sequence, at) => {
      const { events, state } = play(sequence)
      const [next, ...rest] = events.slice(at % events.length).map(frozen)
      let own = fold(frozen(foldAll(events.slice(0, at % events.length))), next as FoldEvent)
      for (const event of rest) own = foldInPlace(own, event)
      expect(own).toEqual(state)
    }),
    runs,
  )
})

test('the fold of a prefix, carried on with the rest, is the fold of the whole log', () => {
  fc.assert(
    fc.property(steps, fc.nat(), (sequence, at) => {
      const { events, state } = play(sequence)
      const cut = at % events.length
      let carried = JSON.parse(JSON.stringify(foldAll(events.slice(0, cut)) ?? null)) as State | null
      for (const event of events.slice(cut)) carried = fold(carried ?? undefined, event)
      expect(carried).toEqual(state)
      expect(foldAll(events)).toEqual(state)
    }),
    runs,
  )
})

test('folding leaves the state before untouched', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const { events } = play(sequence)
      let state: State | undefined
      for (const event of events) {
        const before = JSON.stringify(state)
        const after = fold(state, event)
        expect(JSON.stringify(state)).toBe(before)
        state = after
      }
    }),
    { numRuns: 60 },
  )
})

test('counters, open calls and unanswered messages agree with the reference at every seq', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const log = play(sequence)
      const { head } = log.state
      const reference = referenceOf(log.events)
      expect(head.counters).toMatchObject(reference.counters)
      expect(head.openCalls).toEqual(reference.openCalls)
      expect(reference.unanswered).toEqual(expect.arrayContaining(head.unanswered))
      if (reference.unanswered.length <= 1) expect(head.unanswered).toEqual(reference.unanswered)
      expect(messagesInView(log.events, viewStateOf(log.state)).map((m) => m.id)).toEqual(reference.visible)
    }),
    runs,
  )
})

test('exchanges are counted right when more messages are unanswered than the head keeps', () => {
  const talk: Op[] = [
    'user',
    'user',
    'user',
    'named',
    'answerOld',
    'answerOld',
    'answer',
    'undo',
    'redo',
    'truncate',
    'edit',
  ]
  const long = fc.array(fc.record({ op: fc.constantFrom(...talk), n: fc.nat(1_000) }), {
    minLength: 40,
    maxLength: 80,
    size: 'max',
  })
  const many = [...Array(20).keys()].map((n): Step => ({ op: 'user', n }))
  fc.assert(
    fc.property(long, (sequence) => {
      const log = play([...many, ...sequence])
      const reference = referenceOf(log.events)
      expect(log.head.counters).toMatchObject(reference.counters)
      expect(reference.unanswered).toEqual(expect.arrayContaining(log.head.unanswered))
    }),
    { numRuns: 150 },
  )
})

test('a summary stands only for messages that were visible when it was made', () => {
  const sequences = fc.array(
    fc.record({
      op: fc.constantFrom<Op>(
        'user',
        'answer',
        'call',
        'result',
        'undo',
        'redo',
        'truncate',
        'edit',
        'compact',
        'compact',
        'clear',
      ),
      n: fc.nat(60),
    }),
    { minLength: 10, maxLength: 60, size: 'max' },
  )
  fc.assert(
    fc.property(sequences, (sequence) => {
      const log = play(sequence)
      const now = viewStateOf(log.state)
      for (const overlay of now.overlays ?? []) {
        const then = viewStateOf(log.states[overlay.seq - 1] as State)
        const seen = messagesInView(log.events.slice(0, overlay.seq - 1), then).map((message) => message.id)
        expect(seen).toEqual(
          expect.arrayContaining([...coveredMessages(log.events, { ...now, overlays: [overlay] })]),
        )
      }
    }),
    { numRuns: 200 },
  )
})

test('the provider view of every prefix is valid for both providers', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const log = play(sequence)
      for (let seq = 1; seq <= log.events.length; seq++)
        expectValid(log.events.slice(0, seq), log.states[seq] as State)
    }),
    { numRuns: 120 },
  )
})

test('without a compaction the view shows every visible message, and the provider view loses none of them', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const log = play(sequence.filter((step) => step.op !== 'compact'))
      const sent = providerView(contextView(log.events, viewStateOf(log.state))).flatMap(
        (m) => m.messageId ?? [],
      )
      expect(new Set(sent)).toEqual(new Set(referenceOf(log.events).visible))
    }),
    { numRuns: 120 },
  )
})

test('a fork counts the messages and exchanges of its prefix, and nothing that was spent', () => {
  fc.assert(
    fc.property(steps, steps, fc.nat(), (sequence, more, at) => {
      const log = play(sequence)
      const seq = (at % log.events.length) + 1
      const forked = forkAt(log, seq)
      if (!forked) return
      expect(forked.head.counters.costMicrocents).toBe(0)
      play(more, forked)
      const reference = referenceOf(forked.events)
      expect(forked.head.counters).toMatchObject(reference.counters)
      expect(forked.head.openCalls).toEqual(reference.openCalls)
    }),
    runs,
  )
})

test('an undo that is taken back restores what was visible and what was counted', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4 }), (sequence, times) => {
      const log = play(sequence)
      if (isUnfinished(log.head.run)) log.do({ type: 'stopRun' })
      if (isUnfinished(log.head.run)) log.do({ type: 'failRun', error: 'ended by the test' }, { own: true })
      log.do({ type: 'closeCalls', reason: 'test' })
      const stack: (Reference & { overlays: unknown })[] = []
      for (let i = 0; i < times && log.head.lastUser; i++) {
        stack.push({ ...referenceOf(log.events), overlays: viewStateOf(log.state).overlays })
        log.do({ type: 'undo' })
        expect(log.head.counters).toMatchObject(referenceOf(log.events).counters)
      }
      for (const before of stack.reverse()) {
        log.do({ type: 'redo' })
        const { counters, visible, openCalls } = referenceOf(log.events)
        expect({ counters, visible, openCalls }).toEqual({
          counters: before.counters,
          visible: before.visible,
          openCalls: before.openCalls,
        })
        expect(viewStateOf(log.state).overlays).toEqual(before.overlays)
        expect(log.head.counters).toMatchObject(counters)
      }
    }),
    runs,
  )
})

test('the head of an ordinary session stays within 4 KiB', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      expect(Buffer.byteLength(JSON.stringify(play(sequence).head))).toBeLessThanOrEqual(4 * 1024)
    }),
    { numRuns: 60 },
  )
})

function expectValid(events: readonly FoldEvent[], state: State): void {
  const sent = providerView(contextView(events, viewStateOf(state)))
  expect(anthropicFaults(sent)).toEqual([])
  expect(openAiFaults(sent)).toEqual([])
}

function forkAt(log: TestLog, seq: number): TestLog | undefined {
  try {
    return log.fork(seq)
  } catch (error) {
    if (isHoldfastError(error, 'fork_inside_round')) return undefined
    throw error
  }
}
