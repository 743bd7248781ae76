import type { NewMessage } from '@holdfast/core'
import { turn } from './text.ts'

const messagesAtOnce = 1_000

interface Fillable {
  append(messages: readonly NewMessage[]): Promise<unknown>
}

/** Gives a session so many messages more, many in each commit. */
export async function fill(session: Fillable, messages: number): Promise<void> {
  for (let done = 0; done < messages; done += messagesAtOnce) {
    const turns = Math.ceil(Math.min(messagesAtOnce, messages - done) / 2)
    await session.append(Array.from({ length: turns }, (_, n) => turn(done + n)).flat())
  }
}
