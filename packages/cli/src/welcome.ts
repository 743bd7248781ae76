/** What `holdfast` alone shows: the help, where the store is, and what to type first. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { isPostgres, settingsOf, shownStore } from './place/settings.ts'
import type { World } from './terminal/world.ts'

export async function welcomeLines(world: World, root: Command): Promise<string[]> {
  const { store, storeFrom } = await settingsOf(world, {})
  const isNew = !isPostgres(store) && !existsSync(store)
  const first = isNew
    ? ['holdfast import ~/.claude/projects', 'holdfast import ~/.codex/sessions', 'holdfast chat']
    : ['holdfast sessions', 'holdfast search <words>', 'holdfast chat']
  return [
    root.helpInformation().trimEnd(),
    '',
    `Store: ${shownStore(store)} (${isNew ? 'not there yet; ' : ''}${storeFrom})`,
    `Start: ${first.join('\n       ')}`,
    '',
  ]
}
