/** The items of a file in their order, and what is told of each beside itself. */
import type { JsonObject, UsageRecord } from '@holdfast/protocol'
import type { LossReport } from '../loss-report.ts'
import type { Value } from '../source.ts'
import { type Held, heldIn, itemsAsBefore } from './held.ts'

export interface Told {
  at: string | undefined
  /** What the answers from here on are made with. */
  model: string | undefined
  usage: UsageRecord | undefined
  /** The list price holds for it. */
  isUsual: boolean
  /** The answer that it is part of ends with it. */
  endsAnswer: boolean
  /** What stood beside it and has no place. */
  left: readonly string[]
}

export class ToldItems {
  readonly #file: string
  readonly #report: LossReport
  readonly #before: number
  readonly #told = new WeakMap<JsonObject, Told>()
  #model: string | undefined
  #instructions: string | undefined

  /** `before`: so many of the first were imported by an earlier version, which found others, and are found as it did. */
  constructor(file: string, report: LossReport, before: number) {
    this.#file = file
    this.#report = report
    this.#before = before
  }

  /** Of an item that `in` gave. */
  of(item: JsonObject): Told | undefined {
    return this.#told.get(item)
  }

  async *in(values: AsyncIterable<Value>): AsyncGenerator<JsonObject> {
    let before = this.#before
    for await (const { number, value, broken } of values) {
      const items = before > 0 ? itemsAsBefore(value) : this.#itemsIn(heldIn(value))
      before -= items.length
      yield* items
      if (items.length > 0) continue
      this.#report.line('broken')
      this.#report.breakLine({ file: this.#file, line: number, reason: broken ?? 'this is no item' })
    }
  }

  #itemsIn(held: Held): JsonObject[] {
    const items = [...this.#newInstructions(held), ...held.items]
    this.#tell(items, held)
    return items
  }

  /** Each response of a conversation has them again. */
  #newInstructions({ instructions }: Held): JsonObject[] {
    if (instructions.length === 0) return []
    const text = JSON.stringify(instructions)
    const isSaid = text === this.#instructions
    this.#instructions = text
    return isSaid ? [] : instructions
  }

  #tell(items: readonly JsonObject[], { at, model, usage, isUsual, isAnswer, left }: Held): void {
    this.#model = model ?? this.#model
    for (const [index, item] of items.entries()) {
      const isLast = index === items.length - 1
      this.#told.set(item, {
        at,
        model: this.#model,
        usage: isLast ? usage : undefined,
        isUsual,
        endsAnswer: isLast && isAnswer,
        left: index === 0 ? left : [],
      })
    }
  }
}
