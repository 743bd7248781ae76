/**
 * The packages as they are published, in a folder of their own: what a host imports. The sources cost several times as
 * much to import, for they are hundreds of files and their types are stripped on the way.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const packages = ['protocol', 'core', 'transcripts', 'agent', 'client', 'server', 'cli']

export interface Built {
  core: string
  sqlite: string
  /** The server with its listener. */
  server: string
  transcripts: string
  /** What the threads of `holdfast import` begin with. */
  importThread: string
  /** What makes the published prices into a book. */
  pricesThread: string
  /** Path of the `holdfast` command. */
  command: string
}

/** Gives the URLs of what is imported, and the command. */
export function buildInto(folder: string): Built {
  const modules = join(folder, 'node_modules')
  const ours = join(modules, '@holdfast')
  const args = [join(root, 'tools/build.ts'), '--into', ours, ...packages]
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the packages cannot be built: ${stderr}`)
  for (const name of packages) for (const needed of foreign(join(ours, name))) link(modules, needed)
  const file = (path: string) => join(modules, '@holdfast', path)
  const url = (path: string) => pathToFileURL(file(path)).href
  return {
    core: url('core/index.js'),
    sqlite: url('core/store/sqlite/index.js'),
    server: url('server/node/index.js'),
    transcripts: url('transcripts/index.js'),
    importThread: url('cli/import/thread.js'),
    pricesThread: url('cli/import/prices-thread.js'),
    command: file('cli/holdfast.js'),
  }
}

/** Several of the packages may need it. */
function link(modules: string, name: string): void {
  const path = join(modules, name)
  mkdirSync(dirname(path), { recursive: true })
  if (!existsSync(path)) symlinkSync(join(root, 'node_modules', name), path, 'junction')
}

function foreign(folder: string): string[] {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return Object.keys(dependencies).filter((name) => !name.startsWith('@holdfast/'))
}
