/** A chat from its first turn to its last. Everything of it is in the session: it may be left at any point and gone on with. */
import type { Followed } from '@holdfast/core'
import {
  type HoldfastError,
  isHoldfastError,
  type Json,
  type Question,
  type Session,
} from '@holdfast/protocol'
import type { Context, Ended } from '../context.ts'
import { plainLine } from '../terminal/plain.ts'
import { askingBelow } from './below.ts'
import type { ChatPlace, ChatTurn } from './chat-place.ts'
import type { Interrupts } from './interrupts.ts'
import type { Speaker } from './speaker.ts'
import { stepsOf } from './turn-steps.ts'
import type { TurnView } from './turn-view.ts'

export interface Chatting {
  place: ChatPlace
  speaker: Speaker
  interrupts: Interrupts
  /** The session that is gone on with; absent: one for the agent, made with the first input. */
  sessionId: string | undefined
  agentId: string
  view: TurnView
}

export class Chat {
  readonly #context: Context
  readonly #chatting: Chatting
  #sessionId: string | undefined
  #hasFailed = false
  /** A question was left open. */
  #isAsked = false

  constructor(context: Context, chatting: Chatting) {
    this.#context = context
    this.#chatting = chatting
    this.#sessionId = chatting.sessionId
  }

  /** Undefined until something was said. */
  get sessionId(): string | undefined {
    return this.#sessionId
  }

  async run(): Promise<Ended> {
    const { interrupts, speaker } = this.#chatting
    if (this.#sessionId !== undefined) await this.#announce(this.#sessionId)
    for (let next = await this.#next(); next !== 'over'; next = await this.#next()) {
      await this.#turn(next)
      if (this.#isAsked) break
      if (interrupts.leaving.aborted || (speaker.isPiped && interrupts.hasStopped)) return 'interrupted'
    }
    if (interrupts.leaving.aborted) return 'interrupted'
    if (!speaker.isPiped) return undefined
    if (this.#isAsked) return 'refused'
    return this.#hasFailed ? 'failed' : undefined
  }

  /** What the session waits for comes before anything new. */
  async #next(): Promise<Turn | 'over'> {
    const { place, speaker } = this.#chatting
    const id = this.#sessionId
    const { openQuestion, run } = id === undefined ? {} : await place.view(id)
    if (id !== undefined && openQuestion) {
      const answer = await this.#answerTo(openQuestion)
      if (answer === undefined) return 'over'
      return { id, items: place.answer(id, openQuestion.questionId, answer) }
    }
    if (id !== undefined && run && run.endedAt === undefined)
      return { id, items: place.resume(id), isWaiting: run.suspendReason === 'children' }
    const said = await speaker.say()
    if (said === undefined) return 'over'
    const at = id ?? (await this.#begin())
    return { id: at, said, items: place.send(at, said) }
  }

  async #answerTo(question: Question): Promise<Json | undefined> {
    const answer = await this.#chatting.speaker.answer(question)
    this.#isAsked = answer === undefined
    return answer
  }

  async #begin(): Promise<string> {
    const { place, agentId } = this.#chatting
    const id = await place.create(agentId)
    this.#sessionId = id
    await this.#announce(id)
    return id
  }

  /** A program has the session first of all; a person has its id, in case nothing else is left of the chat. */
  async #announce(id: string): Promise<void> {
    const { output } = this.#context
    await output.aside(output.style.faint(`session ${id}`))
    if (output.wantsData) await this.#told(await this.#chatting.place.view(id))
  }

  async #told(session: Session): Promise<void> {
    await this.#context.output.text(`${JSON.stringify({ type: 'session', session })}\n`)
  }

  async #refused({ code, message, details }: HoldfastError): Promise<void> {
    const { output, world } = this.#context
    await output.aside(output.style.warn(plainLine(message)))
    if (output.wantsData)
      await world.stderr.write(`${JSON.stringify({ error: { code, message, details } })}\n`)
  }

  async #turn({ id, said, items, isWaiting = false }: Turn): Promise<void> {
    const { place, interrupts, view } = this.#chatting
    view.begin(said)
    const over = interrupts.duringTurn(() => place.stop(id))
    this.#hasFailed = false
    try {
      for await (const step of stepsOf(items, isWaiting, interrupts.leaving)) {
        if (step === 'look') await this.#answerBelow(id)
        else await this.#see(step)
        if (this.#isAsked) break
      }
    } catch (error) {
      if (!isPassing(error)) throw error
      await this.#refused(error)
    } finally {
      over()
    }
    await view.end()
  }

  async #see(item: Followed): Promise<void> {
    await this.#chatting.view.see(item)
    if (item.type === 'event' && item.eventType === 'run.failed') this.#hasFailed = true
  }

  /** What a session below asks is shown and answered here: nobody else may be looking at it. */
  async #answerBelow(id: string): Promise<void> {
    const { place } = this.#chatting
    const { output } = this.#context
    const session = await askingBelow(place, id)
    if (!session?.openQuestion) return
    await output.aside(output.style.accent(`↳ ${plainLine(session.agentName ?? session.agentId)} asks`))
    if (output.wantsData) await this.#told(session)
    const answer = await this.#answerTo(session.openQuestion)
    if (answer === undefined) return
    try {
      await place.settle(session.id, session.openQuestion.questionId, answer)
    } catch (error) {
      if (!isPassing(error)) throw error
      await this.#refused(error)
    }
  }
}

interface Turn {
  id: string
  items: ChatTurn
  said?: string
  /** For its children, from the beginning. */
  isWaiting?: boolean
}

const passing: readonly string[] = ['invalid_answer', 'question_not_open', 'question_open', 'no_live_run']

/** An answer that does not fit, or that somebody else has given: the session is looked at again. */
function isPassing(error: unknown): error is HoldfastError {
  return isHoldfastError(error) && passing.includes(error.code)
}
