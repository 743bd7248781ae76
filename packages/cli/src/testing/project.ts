/** A project with a `holdfast.config.ts`, from which the packages are found. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll } from 'vitest'

const root = join(import.meta.dirname, '../../../..')

/** The path of the config file; it is gone after the tests of the file. */
export function projectWith(config: string): string {
  mkdirSync(join(root, '.holdfast'), { recursive: true })
  const folder = mkdtempSync(join(root, '.holdfast', 'project-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'holdfast.config.ts')
  writeFileSync(path, config)
  return path
}
