/**
 * The packages as they are published, in a folder of their own: what a host imports. The sources cost several times as
 * much to import, for they are hundreds of files and their types are stripped on the way.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const packages = ['protocol', 'core', 'transcripts', 'cli']

export interface Built {
  core: string
  sqlite: string
  /** Path of the `holdfast` command. */
  command: string
}

/** Gives the URLs of what is imported, and the command. */
export function buildInto(folder: string): Built {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'tools/build.ts')], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the packages cannot be built: ${stderr}`)
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@holdfast'), { recursive: true })
  for (const name of packages) {
    const target = join(modules, '@holdfast', name)
    cpSync(join(root, 'packages', name, 'dist'), target, { recursive: true })
    for (const needed of foreign(target)) link(needed, modules)
  }
  const core = pathToFileURL(join(modules, '@holdfast/core/'))
  return {
    core: new URL('index.js', core).href,
    sqlite: new URL('store/sqlite/index.js', core).href,
    command: join(modules, '@holdfast/cli/holdfast.js'),
  }
}

function link(name: string, modules: string): void {
  mkdirSync(dirname(join(modules, name)), { recursive: true })
  symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction')
}

function foreign(folder: string): string[] {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return Object.keys(dependencies).filter((name) => !name.startsWith('@holdfast/'))
}
