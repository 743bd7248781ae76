/** Questions: one open at a time, answered once, by an answer that fits; an older id never resolves a newer question. */
import { checkLimit, type Json, type Question, toMs } from '@holdfast/protocol'
import type { Command } from '../command.ts'
import {
  type Decide,
  type Deciding,
  type Decision,
  decided,
  type Env,
  type NewEvent,
  nothing,
  readPart,
  readRefs,
  refuse,
} from '../deciding.ts'
import { answerFault, formFault } from '../form.ts'
import { isLive, isUnfinished } from '../lifecycle.ts'
import type { Head } from '../state.ts'
import { requireOwnRun } from './guard.ts'
import { endRun } from './run-end.ts'

type Only<T extends Command['type']> = Extract<Command, { type: T }>

/** The run that asks is suspended in the same commit, so that no crash leaves it working without its answer. */
export const decideAskQuestion: Decide<Only<'askQuestion'>> = function* (head, command, env) {
  const { options = [], allowCustom = true, ...asking } = command.question
  const question = { ...asking, options, allowCustom } as Question
  if (head.question)
    refuse(
      'question_open',
      `question ${head.question.questionId} of session ${head.id} is open; one at a time`,
      head.question,
    )
  checkQuestion(head, question)
  const [seq] = yield* readRefs('question', question.questionId)
  if (seq !== undefined)
    refuse('duplicate_id', `question ${question.questionId} of session ${head.id} was asked at seq ${seq}`, {
      seq,
    })
  const asked: NewEvent = { type: 'question.asked', data: question }
  if (!isLive(head.run)) return decided(asked)
  const { runId, state } = requireOwnRun(head, env)
  if (state === 'finalizing') refuse('illegal_transition', `run ${runId} is finalizing and asks no question`)
  if (env.recording) return decided(asked)
  return {
    events: [asked, { type: 'run.suspended', data: { runId, reason: 'question' }, run: true }],
    lease: { type: 'release' },
  }
}

function checkQuestion(head: Head, question: Question): void {
  const { options, allowCustom, form, escalation } = question
  checkLimit('questionOptions', options.length, `question ${question.questionId} of session ${head.id}`)
  const invalid = (why: string): never =>
    refuse('invalid_input', `question ${question.questionId} of session ${head.id}: ${why}`)
  const fault = form && formFault(form)
  if (fault) invalid(fault)
  if (!form && !allowCustom && options.length === 0)
    invalid('nothing could answer it: no options, no custom answer, no form')
  if (escalation?.onExpiry !== 'default_answer') return
  if (escalation.defaultAnswer === undefined) invalid('its default answer is missing')
  else if (misfit(question, escalation.defaultAnswer)) invalid('its default answer does not fit')
}

export const decideAnswerQuestion: Decide<Only<'answerQuestion'>> = function* (
  head,
  { questionId, answer },
  env,
) {
  requireOpen(head, questionId)
  if (isPast(head, env)) {
    refuse(
      'question_not_open',
      `question ${questionId} of session ${head.id} expired at ${head.question?.expiresAt}`,
      { questionId, reason: 'expired' },
    )
  }
  const question = yield* readPart('question')
  const why = question && misfit(question, answer)
  if (why)
    refuse(
      'invalid_answer',
      `the answer to question ${questionId} of session ${head.id} ${why}; it stays open`,
      { questionId, why },
    )
  const custom = typeof answer !== 'string' || !question?.options.includes(answer)
  return closed(head, { type: 'question.answered', data: { questionId, answer, custom } })
}

/** A run that waited for it is due: whichever process finds it goes on with it. */
function closed(head: Head, event: NewEvent): Decision {
  const waits = head.run?.state === 'suspended'
  return { events: [event], ...(waits && { lease: { type: 'due', isDue: true } }) }
}

/** Why an answer does not fit, or undefined. */
function misfit({ form, options, allowCustom }: Question, answer: Json): string | undefined {
  if (form) return answerFault(form, answer)
  if (typeof answer === 'string' && options.includes(answer)) return undefined
  if (!allowCustom) return 'must be one of the options'
  const blank = answer === null || (typeof answer === 'string' && answer.trim() === '')
  return blank ? 'is blank' : undefined
}

export const decideWithdrawQuestion: Decide<Only<'withdrawQuestion'>> = (head, { questionId, reason }) => {
  requireOpen(head, questionId)
  return closed(head, {
    type: 'question.withdrawn',
    data: { questionId, ...(reason !== undefined && { reason }) },
  })
}

/** The sweep's: whoever comes late or early changes nothing. */
export const decideExpireQuestion: Decide<Only<'expireQuestion'>> = function* (head, { questionId }, env) {
  if (head.question?.questionId !== questionId || !isPast(head, env)) return nothing
  const escalation = (yield* readPart('question'))?.escalation
  const answer = escalation?.onExpiry === 'default_answer' ? escalation.defaultAnswer : undefined
  const expired: NewEvent = {
    type: 'question.expired',
    data: { questionId, ...(answer !== undefined && { answer }) },
  }
  if (escalation?.onExpiry !== 'cancel_run') return closed(head, expired)
  const end = yield* cancelUnanswered(head, env)
  return { ...end, events: [expired, ...end.events] }
}

/** A suspended run is cancelled here; a live one, which asked on the way, is told to stop. */
function* cancelUnanswered(head: Head, env: Env): Deciding<Decision> {
  if (!isUnfinished(head.run)) return nothing
  const data = { runId: head.run.runId, reason: 'question expired' }
  const { question: _expired, ...rest } = head
  if (head.run.state === 'suspended') return yield* endRun(rest, env, { type: 'run.cancelled', data })
  if (head.run.stopRequested || head.run.state === 'finalizing') return nothing
  return decided({ type: 'run.stop_requested', data })
}

function requireOpen(head: Head, questionId: string): void {
  const open = head.question?.questionId
  if (open === questionId) return
  const now = open === undefined ? 'none is open' : `question ${open} is the open one`
  refuse('question_not_open', `question ${questionId} of session ${head.id} is not open; ${now}`, {
    questionId,
    ...(open !== undefined && { open }),
  })
}

/** Past its time at the very instant, swept or not. */
function isPast({ question }: Head, env: Env): boolean {
  return question?.expiresAt !== undefined && env.nowMs >= toMs(question.expiresAt)
}
