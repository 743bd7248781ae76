/**
 * Which lines are of one answer. Lines of an answer have its id; but some gateways give the same id to every answer, and a
 * provider under load gave it to several.
 */
import type { JsonObject } from '@holdfast/protocol'
import { type Entry, objectOf, textOf } from './entry.ts'

interface Answer {
  /** Its own: the id, and a number behind it when an earlier answer has that. */
  name: string
  nth: number
  requestId: string | undefined
  /** Tokens that it was made from; 0: nobody tells. */
  input: number
  /** What was said up to its last line. */
  prompts: number
  results: number
}

export class Answers {
  /** By the id in the file. */
  readonly #last = new Map<string, Answer>()
  #prompts = 0
  #results = 0

  /** A line of a user, in the order of the file; one that stands there again is left out. */
  said({ blocks, meta, queued }: Entry): void {
    if (blocks.some(({ type }) => type === 'tool_result')) this.#results += 1
    else if (!meta && !queued) this.#prompts += 1
  }

  /**
   * Than the one that the last line with its id is of. `before`: the name of the answer that the line goes on from, if it does
   * from one.
   */
  isAnother(id: string, entry: Entry, before: string | undefined): boolean {
    const last = this.#last.get(id)
    if (!last) return false
    const { requestId, input } = factsOf(entry)
    if (requestId !== undefined && last.requestId !== undefined) return requestId !== last.requestId
    if (before === last.name) return false
    if (last.prompts < this.#prompts) return true
    const isMadeOfOther = input > 0 && last.input > 0 && input !== last.input
    return isMadeOfOther && last.results < this.#results
  }

  /** Whether the line is of an answer of that name, or stands in the file again: both were made from as much. */
  isOf(name: string | undefined, id: string, entry: Entry, isAnother: boolean): boolean {
    const last = this.#last.get(id)
    const { input } = factsOf(entry)
    return last?.name === name && (!isAnother || (input > 0 && input === last?.input))
  }

  /** The name of the answer that the line is of. */
  read(id: string, entry: Entry, isAnother: boolean): string {
    const last = this.#last.get(id)
    const { requestId, input } = factsOf(entry)
    const nth = (last?.nth ?? 1) + (isAnother ? 1 : 0)
    const name = nth === 1 ? id : `${id}@${nth}`
    const before = isAnother ? undefined : last
    this.#last.set(id, {
      ...{ name, nth, prompts: this.#prompts, results: this.#results },
      requestId: requestId ?? before?.requestId,
      input: input > 0 ? input : (before?.input ?? 0),
    })
    return name
  }
}

function factsOf({ raw, message }: Entry): Pick<Answer, 'requestId' | 'input'> {
  return { requestId: textOf(raw.requestId), input: inputOf(objectOf(message?.usage)) }
}

const inputs = ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens']

/** Tokens that an answer was made from; 0: nobody tells. */
export function inputOf(usage: JsonObject | undefined): number {
  const counts = inputs.map((field) => usage?.[field])
  return counts.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0)
}
