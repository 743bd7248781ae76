/** The end of a listener: what was accepted is answered, followers are told to come back, and only then it is over. */

import { once } from 'node:events'
import type { Server } from 'node:http'

const idleCheckMs = 20

/** Takes no new connection, and waits for those there are; after `patienceMs` they are cut. */
export async function drainListener(listener: Server, patienceMs: number): Promise<void> {
  if (!listener.listening) return
  const closed = once(listener, 'close')
  listener.close()
  const idle = setInterval(() => listener.closeIdleConnections(), idleCheckMs)
  const late = setTimeout(() => listener.closeAllConnections(), patienceMs)
  await closed
  clearInterval(idle)
  clearTimeout(late)
}
