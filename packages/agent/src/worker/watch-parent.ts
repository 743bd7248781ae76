/** A child works for as long as its parent's run does, and until its deadline. */
import { isHoldfastError } from '@holdfast/protocol'
import { DEADLINE } from '../children/spawn.ts'
import type { Turn } from '../turn/turn.ts'

const ends = ['run.completed', 'run.failed', 'run.cancelled', 'session.closed', 'session.expired']
const longestTimerMs = 2 ** 31 - 1

export async function watchParent(turn: Turn, signal: AbortSignal): Promise<void> {
  if (!turn.isChild) return
  const { parentSessionId, metadata } = await turn.session.view()
  if (parentSessionId === undefined) return
  holdDeadline(turn, metadata?.[DEADLINE], signal)
  const stop = (): void => turn.halting.pull({ why: 'stop', reason: 'the parent has ended' })
  try {
    const parent = await turn.world.holdfast.sessions.getSummary(parentSessionId)
    if (!parent || isEnded(parent.run?.state)) return stop()
    const following = turn.world.holdfast.sessions
      .at(parentSessionId)
      .follow({ after: String(parent.seq), signal })
    for await (const item of following)
      if (item.type === 'event' && ends.includes(item.eventType)) return stop()
  } catch (error) {
    if (!isHoldfastError(error, 'not_found')) throw error
    stop()
  }
}

function isEnded(state: string | undefined): boolean {
  return state === undefined || state === 'completed' || state === 'failed' || state === 'cancelled'
}

function holdDeadline(turn: Turn, deadline: unknown, signal: AbortSignal): void {
  if (typeof deadline !== 'string') return
  const left = Math.max(0, Date.parse(deadline) - turn.world.now())
  const stop = (): void => turn.halting.pull({ why: 'stop', reason: 'its time is up' })
  const timer = setTimeout(stop, Math.min(left, longestTimerMs))
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
}
