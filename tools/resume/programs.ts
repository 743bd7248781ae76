/** The programs that exported sessions are resumed by: in the versions that were seen to do it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const programs = {
  'claude-code': { package: '@anthropic-ai/claude-code', version: '2.1.330', command: 'claude' },
  codex: { package: '@openai/codex', version: '0.169.0', command: 'codex' },
} as const

export type ProgramName = keyof typeof programs

/** The folder that `npm install --prefix` put them into. */
export const folderVariable = 'HOLDFAST_TEST_PROGRAMS'

/** `missing` says what is to be done about it. */
export function findProgram(name: ProgramName): { path: string } | { missing: string } {
  const folder = process.env[folderVariable]
  if (folder === undefined) return { missing: '`npm run test:resume` gets it from npm' }
  const path = join(folder, 'node_modules/.bin', programs[name].command)
  return existsSync(path) ? { path } : { missing: `there is no ${path}` }
}
