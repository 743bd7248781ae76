/** A real SQLite file for each test, opened as often as a test has processes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { afterEach } from 'vitest'
import { type Agents, type AgentsOptions, withAgents } from '../../src/index.ts'

const open: (() => unknown)[] = []

afterEach(async () => {
  for (const end of open.splice(0).reverse()) await end()
})

/** The path of a database that the test may open several times. */
export function newPlace(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-agent-'))
  open.push(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'sessions.db')
}

export interface Process {
  holdfast: Holdfast
  agents: Agents
  /** Ends it as a process that is asked to; again is harmless. */
  end(): Promise<void>
}

export async function started(path: string, options: AgentsOptions): Promise<Process> {
  const { clock } = options
  const holdfast = await openHoldfast({ store: sqlite(path), ...(clock && { clock }) })
  const agents = withAgents(holdfast, options)
  const end = async (): Promise<void> => {
    await agents.close()
    await holdfast.close()
  }
  open.push(end)
  return { holdfast, agents, end }
}
