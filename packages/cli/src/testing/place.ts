/** A folder of its own for each test file, and a store in it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { afterAll } from 'vitest'

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A new store at `path`, filled and closed again. */
export async function filledStore<T>(path: string, fill: (holdfast: Holdfast) => Promise<T>): Promise<T> {
  await using holdfast = await openHoldfast({ store: sqlite(path) })
  return await fill(holdfast)
}

export const said = (role: 'user' | 'assistant', text: string) => ({
  role,
  parts: [{ type: 'text' as const, text }],
})
