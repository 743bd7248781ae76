import { turn } from '../lib/text.ts'

const turnsAtOnce = 500

/** Writes so many messages, many turns a commit. */
export async function fill(
  session: { append(messages: ReturnType<typeof turn>): Promise<unknown> },
  messages: number,
): Promise<void> {
  for (let done = 0; done < messages / 2; done += turnsAtOnce) {
    const turns = Math.min(turnsAtOnce, messages / 2 - done)
    await Promise.all(Array.from({ length: turns }, (_, n) => session.append(turn(done + n))))
  }
}
