/** Who talks with the agent: a person at a terminal, or the lines of a pipe. */
import type { Json, Question } from '@holdfast/protocol'
import type { Context } from '../context.ts'
import { answerOf, approvalAnswer, isApproval, questionLines } from './answer-text.ts'

export interface Speaker {
  readonly isPiped: boolean
  /** What is said next; undefined: nothing more. */
  say(): Promise<string | undefined>
  /** Undefined: the question stays open. */
  answer(question: Question): Promise<Json | undefined>
}

/** A person who types. The signal ends whatever is being asked. */
export class TypingSpeaker implements Speaker {
  readonly isPiped = false
  readonly #context: Context
  readonly #signal: AbortSignal
  readonly #history: string[] = []

  constructor(context: Context, signal: AbortSignal) {
    this.#context = context
    this.#signal = signal
  }

  async say(): Promise<string | undefined> {
    const { world, output } = this.#context
    const prompt = `\n${output.style.title(output.style.accent('you ›'))} `
    for (;;) {
      const text = await world.readLine(prompt, { history: this.#history, signal: this.#signal })
      if (text === undefined) return undefined
      if (text.trim() === '') continue
      this.#history.push(text)
      return text
    }
  }

  async answer(question: Question): Promise<Json | undefined> {
    const { confirm, text, isCancel, updateSettings } = await import('@clack/prompts')
    updateSettings({ aliases: { '\u0004': 'cancel' } })
    const signal = this.#signal
    if (isApproval(question)) {
      const message = questionLines(question).slice(0, -1).join('\n')
      const isAllowed = await confirm({ message, signal })
      return isCancel(isAllowed) ? undefined : approvalAnswer(isAllowed)
    }
    const validate = (said = '') => (said.trim() === '' ? 'Say something.' : undefined)
    const said = await text({ message: questionLines(question).join('\n'), validate, signal })
    return isCancel(said) ? undefined : answerOf(question, said)
  }
}

/** One turn for each line; a line after a question is its answer. */
export class PipedSpeaker implements Speaker {
  readonly isPiped = true
  readonly #lines: AsyncIterator<string>
  readonly #output: Context['output']

  constructor({ world, output }: Context, signal: AbortSignal) {
    this.#lines = world.inputLines(signal)[Symbol.asyncIterator]()
    this.#output = output
  }

  async say(): Promise<string | undefined> {
    for (;;) {
      const { value, done } = await this.#lines.next()
      if (done) return undefined
      if (value.trim() !== '') return value
    }
  }

  async answer(question: Question): Promise<Json | undefined> {
    await this.#output.aside(...questionLines(question))
    const said = await this.say()
    return said === undefined ? undefined : answerOf(question, said)
  }
}
