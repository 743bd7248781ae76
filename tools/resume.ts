/**
 * `npm run test:resume`: real Claude Code and Codex go on with what was exported, against a scripted provider. They are
 * large and not open, so they are no dependencies: they are installed into a folder of their own, which goes afterwards.
 * `HOLDFAST_TEST_PROGRAMS` names one that stays and is used again.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './packages.ts'
import { findProgram, folderVariable, type ProgramName, programs } from './resume/programs.ts'

const given = process.env[folderVariable]
const folder = given ?? mkdtempSync(join(tmpdir(), 'holdfast-programs-'))
process.env[folderVariable] = folder
try {
  for (const name of Object.keys(programs) as ProgramName[]) install(name)
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const { status } = spawnSync(process.execPath, [vitest, 'run', 'tools/resume.slow.test.ts'], {
    cwd: root,
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
} finally {
  if (given === undefined) rmSync(folder, { recursive: true })
}

/** Each by itself: where one cannot be had, its tests are skipped and say so. */
function install(name: ProgramName): void {
  if ('path' in findProgram(name)) return
  const { package: id, version } = programs[name]
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', `${id}@${version}`]
  const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8' })
  if (status !== 0) console.warn(`${id}@${version} cannot be had: ${stderr.trim().split('\n').at(-1)}`)
}
