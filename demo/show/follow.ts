/** Follows a session from its start, and writes to it meanwhile: history and what comes live are one stream. */
import type { ActiveSession, Followed } from '@holdfast/core'
import type { SessionEvent } from '@holdfast/protocol'
import { heading, shortened, styled } from './screen.ts'

const [first, last] = [4, 3]

export async function showFollow(session: ActiveSession): Promise<void> {
  const { seq, title = session.id } = await session.view()
  const events = await followThrough(session, seq)
  heading(`Following “${shortened(title, 40)}” from its first event`)
  for (const event of events.slice(0, first)) printEvent(event)
  console.log(styled('dim', `        … ${events.length - first - last} more, in order and without a gap …`))
  for (const event of events.slice(-last, -1)) printEvent(event)
  const live = events.at(-1)
  if (live) printEvent(live, styled('green', '← written just now, while this reader waited'))
}

/** Everything through `seq`, and then the event that is written once the reader has caught up. */
async function followThrough(session: ActiveSession, seq: number): Promise<SessionEvent[]> {
  const events: SessionEvent[] = []
  let written: Promise<unknown> | undefined
  for await (const item of session.follow()) {
    const event = eventOf(item)
    if (!event) continue
    events.push(event)
    if (event.seq > seq) break
    if (event.seq === seq)
      written = session.addNote({ kind: 'demo.visit', text: 'somebody looked at this session' })
  }
  await written
  return events
}

function eventOf(item: Followed): SessionEvent | undefined {
  return item.type === 'event' ? item.event : undefined
}

function printEvent({ seq, at, type, data }: SessionEvent, remark = ''): void {
  const time = at.slice(0, 19).replace('T', ' ')
  const gist = `${gistOf(type, data)} ${remark}`
  console.log(`  ${String(seq).padStart(6)}  ${styled('dim', time)}  ${type.padEnd(17)}  ${gist}`.trimEnd())
}

function gistOf(type: string, data: unknown): string {
  const fields = data as {
    kind?: string
    role?: string
    parts?: { type: string; text?: string; name?: string }[]
    model?: string
  }
  if (type === 'note.added') return fields.kind ?? ''
  if (type !== 'message.appended') return ''
  const part = fields.parts?.find(({ text, name }) => text !== undefined || name !== undefined)
  return `${fields.role}: ${shortened(part?.text ?? part?.name ?? '', 48)}`
}
