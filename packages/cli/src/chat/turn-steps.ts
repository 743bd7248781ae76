/** A turn step by step: its items, and while it waits for what it spawned a look at that from time to time. */
import type { Followed } from '@holdfast/core'
import { isErased, isKnown } from '@holdfast/protocol'
import type { ChatTurn } from './chat-place.ts'

const lookEveryMs = 1_000

/** Until the signal; what comes then is for nobody. `isWaiting`: it waits for its children from the beginning. */
export async function* stepsOf(
  items: ChatTurn,
  isWaiting: boolean,
  signal: AbortSignal,
): AsyncGenerator<Followed | 'look', void, void> {
  const iterator = items[Symbol.asyncIterator]()
  const { promise: left, resolve: leave } = Promise.withResolvers<'left'>()
  signal.addEventListener('abort', () => leave('left'), { once: true })
  let waits = isWaiting
  for (let next = iterator.next(); ; ) {
    const look = waits ? afterAWhile() : undefined
    const step = await Promise.race([next, left, ...(look ? [look.promise] : [])])
    look?.stop()
    if (step === 'look') {
      yield step
      continue
    }
    if (step === 'left' || step.done) return
    waits = waitsAfter(step.value, waits)
    yield step.value
    next = iterator.next()
  }
}

function afterAWhile(): { promise: Promise<'look'>; stop(): void } {
  const { promise, resolve } = Promise.withResolvers<'look'>()
  const timer = setTimeout(() => resolve('look'), lookEveryMs)
  return { promise, stop: () => clearTimeout(timer) }
}

function waitsAfter(item: Followed, before: boolean): boolean {
  if (item.type !== 'event' || isErased(item.event)) return before
  if (isKnown(item.event, 'run.suspended')) return item.event.data.reason === 'children'
  return before && !isKnown(item.event, 'run.resumed')
}
