/**
 * Following a session: its history from a cursor on, then what is written from now on, joined without gap or repeat,
 * whichever process writes it. Text of the message in the making comes as draft items, each durable before it is sent.
 */
import { type Followed, FollowedBatches, type FollowedLog, type FollowOptions } from './followed-batches.ts'

export async function* follow(
  log: FollowedLog,
  sessionId: string,
  options?: FollowOptions,
): AsyncGenerator<Followed, void, void> {
  for await (const batch of new FollowedBatches(log, sessionId, options)) {
    for (const item of batch) {
      yield item
      if (options?.signal?.aborted) return
    }
  }
}
