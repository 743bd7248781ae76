/** The packages of the workspace, and what plain `tsc` emits for them. */
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

export type Manifest = {
  readonly name: string
  readonly exports: Readonly<Record<string, string>>
  /** Files of its own that it names: those that threads begin with. */
  readonly imports?: Readonly<Record<string, string>>
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

export type Package = { readonly name: string; readonly folder: string; readonly manifest: Manifest }

export const root = join(import.meta.dirname, '..')

export function listPackages(): Package[] {
  return globSync('packages/*/package.json', { cwd: root })
    .sort()
    .map((path) => {
      const folder = join(root, path, '..')
      const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest
      return { name: basename(folder), folder, manifest }
    })
}

/**
 * Hands `use` a folder that holds `packages/<name>/src/**` as emitted; the folder is gone afterwards. Where
 * the sources have errors `use` is not called, and the process will exit as `tsc` did.
 */
export async function withEmitted(
  options: readonly string[],
  use: (folder: string) => void | Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-emit-'))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const args = [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', folder, ...options]
  try {
    const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
    if (status === 0) await use(folder)
    else process.exitCode = status ?? 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}
