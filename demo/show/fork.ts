/** Forks a session in its middle and shows that nothing was copied. */
import type { ActiveSession, Holdfast } from '@holdfast/core'
import { detail, heading, shortened } from './screen.ts'

export async function showFork(holdfast: Holdfast, session: ActiveSession): Promise<void> {
  const { title = session.id, seq } = await session.view()
  const atSeq = await firstTurnEnd(session)
  const fork = await session.fork({ title: 'another way from here' }, { atSeq })
  const { commonSeq, ours, theirs } = await fork.compare(session)
  heading(`A fork of “${shortened(title, 40)}” after its first turn, at seq ${atSeq} of ${seq}`)
  detail(`the same log through seq ${commonSeq}: kept once, read by both`)
  detail(
    `own events since: ${ours.through - ours.after} of the fork, ${theirs.through - theirs.after} of its source`,
  )
  const { counters } = await fork.view()
  detail(`the fork sees ${counters.messageCount} messages and has spent nothing; it is deleted again now`)
  await holdfast.sessions.delete(fork.id)
}

/** A legal place to fork: no tool call is open once a run has ended. */
async function firstTurnEnd(session: ActiveSession): Promise<number> {
  let after = 0
  for (;;) {
    const { events, more } = await session.events({ after, limit: 200 })
    const end = events.find(({ type }) => type === 'run.completed')
    if (end) return end.seq
    const last = events.at(-1)
    if (!more || !last) throw new Error(`session ${session.id} has no completed turn to fork after`)
    after = last.seq
  }
}
