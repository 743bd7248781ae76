/**
 * `node tools/build.ts [package…]` makes each package ready to publish in `packages/<name>/dist`: one file of
 * JavaScript for each export, command and thread, declarations, everything that is no code, and a manifest whose exports and
 * commands name the JavaScript. A process opens a handful of files to load Holdfast instead of hundreds. With `--into <folder>`
 * they are made in `<folder>/<package>`: several may build at once.
 */
import { cpSync, globSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundle, embedded } from './build/bundle.ts'
import { listPackages, type Manifest, type Package, root, withEmitted } from './packages.ts'

const { positionals: wanted, values } = parseArgs({
  allowPositionals: true,
  options: { into: { type: 'string' } },
})
const packages = listPackages().filter(({ name }) => wanted.length === 0 || wanted.includes(name))

await withEmitted(['--emitDeclarationOnly'], async (declarations) => {
  for (const built of packages) await build(built, join(declarations, 'packages', built.name, 'src'))
})

async function build(built: Package, declarations: string): Promise<void> {
  const { folder, manifest } = built
  const dist = values.into === undefined ? join(folder, 'dist') : join(values.into, built.name)
  rmSync(dist, { recursive: true, force: true })
  cpSync(declarations, dist, { recursive: true })
  await bundle(built, dist)
  copyAssets(join(folder, 'src'), dist)
  copyAssets(join(folder, 'schemas'), join(dist, 'schemas'))
  copyLicenses(manifest, dist)
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(published(manifest), null, 2)}\n`)
}

function copyAssets(from: string, to: string): void {
  for (const path of globSync('**/*', { cwd: from })) {
    if (/\.[jt]s$/.test(path) || statSync(join(from, path)).isDirectory()) continue
    mkdirSync(dirname(join(to, path)), { recursive: true })
    cpSync(join(from, path), join(to, path))
  }
}

function copyLicenses(manifest: Manifest, dist: string): void {
  cpSync(join(root, 'LICENSE'), join(dist, 'LICENSE'))
  for (const name of embedded(manifest)) {
    cpSync(join(root, 'node_modules', name, 'LICENSE'), join(dist, `LICENSE.${name}`))
  }
}

function published({ scripts, ...manifest }: Manifest): object {
  const exports = Object.entries(manifest.exports).map(([subpath, path]) => [subpath, target(path)])
  const { bin = {}, imports = {} } = manifest
  const commands = Object.entries(bin).map(([name, path]) => [name, path.replace('./src/', './')])
  const threads = Object.entries(imports).map(([name, path]) => [name, script(path)])
  return {
    ...manifest,
    exports: Object.fromEntries(exports),
    ...(threads.length > 0 && { imports: Object.fromEntries(threads) }),
    ...(commands.length > 0 && { bin: Object.fromEntries(commands) }),
  }
}

function target(path: string): object | string {
  if (!path.startsWith('./src/')) return path
  return { types: script(path).replace(/\.js$/, '.d.ts'), default: script(path) }
}

function script(path: string): string {
  return path.replace('./src/', './').replace(/\.ts$/, '.js')
}
