/** What the tests look at: sessions as a reader of the engine sees them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AnySession, type Holdfast, openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import type { Message, SessionEvent } from '@holdfast/protocol'
import { onTestFinished } from 'vitest'

/** The transcripts that come with the project. */
export const transcripts = join(import.meta.dirname, '../../samples')

export async function openMemory(): Promise<Holdfast> {
  const holdfast = await openHoldfast({ store: memory() })
  onTestFinished(() => holdfast.close())
  return holdfast
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-transcripts-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export async function allMessages(session: AnySession): Promise<Message[]> {
  const found: Message[] = []
  let after = '0'
  for (;;) {
    const { messages, newer } = await session.messages({ after, limit: 200 })
    if (messages.length === 0) return found
    found.push(...messages)
    after = newer
  }
}

export async function allEvents(session: AnySession): Promise<SessionEvent[]> {
  const found: SessionEvent[] = []
  for (;;) {
    const { events, more } = await session.events({ after: found.at(-1)?.seq ?? 0, limit: 500 })
    found.push(...events)
    if (!more) return found
  }
}

/** Faults of pairing: each call must be answered once, directly after its message, in any order. */
export function pairingFaults(messages: readonly Message[]): string[] {
  const faults: string[] = []
  let open: string[] = []
  for (const message of messages) {
    if (message.role !== 'tool') {
      if (open.length > 0) faults.push(`seq ${message.seq} stands before the results of ${open.join(', ')}`)
      open = message.parts.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : []))
      continue
    }
    for (const part of message.parts) {
      if (part.type !== 'tool_result') continue
      if (!open.includes(part.callId))
        faults.push(`seq ${message.seq} answers ${part.callId}, which is not open`)
      open = open.filter((callId) => callId !== part.callId)
    }
  }
  return open.length > 0 ? [...faults, `no results of ${open.join(', ')}`] : faults
}

/** Seq of every session, to see that nothing was written. */
export async function seqs(holdfast: Holdfast): Promise<Record<string, number>> {
  const { sessions } = await holdfast.sessions.list({}, { limit: 500 })
  return Object.fromEntries(sessions.map(({ id, seq }) => [id, seq]))
}
