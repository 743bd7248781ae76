/** A chat from its first turn to its last. Everything of it is in the session: it may be left at any point and gone on with. */
import { type HoldfastError, isHoldfastError } from '@holdfast/protocol'
import type { Context, Ended } from '../context.ts'
import { plainLine } from '../terminal/plain.ts'
import type { ChatPlace, ChatTurn } from './chat-place.ts'
import type { Interrupts } from './interrupts.ts'
import type { Speaker } from './speaker.ts'
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
    for (let next = await this.#next(); next !== 'over'; next = await this.#next()) {
      await this.#turn(next)
      if (interrupts.leaving.aborted || (speaker.isPiped && interrupts.hasStopped)) return 'interrupted'
    }
    if (interrupts.leaving.aborted) return 'interrupted'
    if (!speaker.isPiped) return undefined
    if (await this.#isAsked()) return 'refused'
    return this.#hasFailed ? 'failed' : undefined
  }

  /** What the session waits for comes before anything new. */
  async #next(): Promise<Turn | 'over'> {
    const { place, speaker } = this.#chatting
    const id = this.#sessionId
    const { openQuestion, run } = id === undefined ? {} : await place.view(id)
    if (id !== undefined && openQuestion) {
      const answer = await speaker.answer(openQuestion)
      if (answer === undefined) return 'over'
      return { id, items: place.answer(id, openQuestion.questionId, answer) }
    }
    if (id !== undefined && run && run.endedAt === undefined) return { id, items: place.resume(id) }
    const said = await speaker.say()
    if (said === undefined) return 'over'
    const at = id ?? (await this.#begin())
    return { id: at, said, items: place.send(at, said) }
  }

  async #begin(): Promise<string> {
    const { place, agentId } = this.#chatting
    const id = await place.create(agentId)
    this.#sessionId = id
    const { output } = this.#context
    await output.aside(output.style.faint(`session ${id}`))
    return id
  }

  async #turn({ id, said, items }: Turn): Promise<void> {
    const { output } = this.#context
    const { place, interrupts, view } = this.#chatting
    view.begin(said)
    const over = interrupts.duringTurn(() => place.stop(id))
    this.#hasFailed = false
    try {
      for await (const item of until(items, interrupts.leaving)) {
        await view.see(item)
        if (item.type === 'event' && item.eventType === 'run.failed') this.#hasFailed = true
      }
    } catch (error) {
      if (!isPassing(error)) throw error
      await output.aside(output.style.warn(plainLine(error.message)))
    } finally {
      over()
    }
    await view.end()
  }

  async #isAsked(): Promise<boolean> {
    if (this.#sessionId === undefined) return false
    return (await this.#chatting.place.view(this.#sessionId)).openQuestion !== undefined
  }
}

interface Turn {
  id: string
  items: ChatTurn
  said?: string
}

const passing: readonly string[] = ['invalid_answer', 'question_not_open', 'question_open', 'no_live_run']

/** An answer that does not fit, or that somebody else has given: the session is looked at again. */
function isPassing(error: unknown): error is HoldfastError {
  return isHoldfastError(error) && passing.includes(error.code)
}

/** Its items until the signal; what comes then is for nobody. */
async function* until<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]()
  const { promise: left, resolve: leave } = Promise.withResolvers<undefined>()
  signal.addEventListener('abort', () => leave(undefined), { once: true })
  for (;;) {
    const next = await Promise.race([iterator.next(), left])
    if (!next || next.done) return
    yield next.value
  }
}
