/** Runs a decision: answers its reads until it ends. Nothing is awaited while the answers are in memory. */
import type { Deciding, Read } from '../session/deciding.ts'

export interface Reader {
  /** The answer, or undefined when it takes a read of the store. */
  known(read: Read): { answer: unknown } | undefined
  ask(read: Read): Promise<unknown>
}

export function drive<T>(deciding: Deciding<T>, reader: Reader): T | Promise<T> {
  let step = deciding.next()
  while (!step.done) {
    const known = reader.known(step.value)
    if (known === undefined) return driveOn(deciding, reader, step.value)
    step = deciding.next(known.answer)
  }
  return step.value
}

async function driveOn<T>(deciding: Deciding<T>, reader: Reader, first: Read): Promise<T> {
  let step = deciding.next(await reader.ask(first))
  while (!step.done) {
    const known = reader.known(step.value)
    step = deciding.next(known === undefined ? await reader.ask(step.value) : known.answer)
  }
  return step.value
}
