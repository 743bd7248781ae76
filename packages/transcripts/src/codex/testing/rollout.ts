/** Lines as Codex writes them, and what a file of them gives, wherever the import before had stopped in it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnySession, Holdfast } from '@holdfast/core'
import { importFile } from '../../import-paths.ts'
import { sessionIdOf } from '../../session-id.ts'
import { allMessages, openMemory, temporaryFolder } from '../../testing/imported.ts'

export interface RolloutLine {
  timestamp: string
  type: string
  payload: object
}

/** `seconds` after ten o'clock. */
export function line(seconds: number, type: string, payload: object): RolloutLine {
  const timestamp = new Date(Date.UTC(2026, 2, 1, 10, 0, 0, seconds * 1_000)).toISOString()
  return { timestamp, type, payload }
}

export function event(seconds: number, type: string, beside: object = {}): RolloutLine {
  return line(seconds, 'event_msg', { type, ...beside })
}

export function spoken(seconds: number, role: string, text: string): RolloutLine {
  const type = role === 'assistant' ? 'output_text' : 'input_text'
  return line(seconds, 'response_item', { type: 'message', role, content: [{ type, text }] })
}

/** What a user says is an item, and an event too. */
export function asked(seconds: number, text: string): RolloutLine[] {
  return [spoken(seconds, 'user', text), event(seconds, 'user_message', { message: text })]
}

/** An id that tells this time. */
export function idAt(seconds: number): string {
  const hex = Date.parse(line(seconds, '', {}).timestamp)
    .toString(16)
    .padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`
}

export const thread = 'made'

export function meta(beside: object = {}, seconds = 0): RolloutLine {
  return line(seconds, 'session_meta', { id: thread, cwd: '/work', ...beside })
}

/** `cuts`: how many of the lines are there at each import before the last. */
export async function imported(lines: readonly object[], cuts: readonly number[] = []) {
  const holdfast = await openMemory()
  const path = join(temporaryFolder(), `rollout-${thread}.jsonl`)
  for (const cut of cuts) await importText(holdfast, path, lines.slice(0, cut))
  const { report } = await importText(holdfast, path, lines)
  return { holdfast, path, report, session: await sessionIn(holdfast) }
}

export function importText(holdfast: Holdfast, path: string, lines: readonly object[]) {
  return importFile(holdfast, saved(path, lines))
}

export function saved(path: string, lines: readonly object[]): string {
  writeFileSync(path, lines.map((each) => `${JSON.stringify(each)}\n`).join(''))
  return path
}

export function sessionIn(holdfast: Holdfast, name = thread): Promise<AnySession> {
  return holdfast.sessions.open(sessionIdOf('default', 'codex', name))
}

/** The first text of each message. */
export async function saidIn(session: AnySession): Promise<string[]> {
  return (await allMessages(session)).map(({ parts: [part] }) => (part && 'text' in part ? part.text : ''))
}
