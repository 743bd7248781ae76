/**
 * `node tools/build.ts [package…]` makes each package ready to publish in `packages/<name>/dist`: JavaScript,
 * declarations, everything that is no code, and a manifest whose exports and commands name the JavaScript.
 */
import { cpSync, globSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { listPackages, type Manifest, type Package, root, withEmitted } from './packages.ts'

const wanted = process.argv.slice(2)
const packages = listPackages().filter(({ name }) => wanted.length === 0 || wanted.includes(name))

withEmitted([], (emitted) => {
  for (const built of packages) build(built, join(emitted, 'packages', built.name, 'src'))
})

function build({ folder, manifest }: Package, emitted: string): void {
  const dist = join(folder, 'dist')
  rmSync(dist, { recursive: true, force: true })
  cpSync(emitted, dist, { recursive: true })
  copyAssets(join(folder, 'src'), dist)
  copyAssets(join(folder, 'schemas'), join(dist, 'schemas'))
  cpSync(join(root, 'LICENSE'), join(dist, 'LICENSE'))
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(published(manifest), null, 2)}\n`)
}

function copyAssets(from: string, to: string): void {
  for (const path of globSync('**/*', { cwd: from })) {
    if (/\.[jt]s$/.test(path) || statSync(join(from, path)).isDirectory()) continue
    mkdirSync(dirname(join(to, path)), { recursive: true })
    cpSync(join(from, path), join(to, path))
  }
}

function published({ scripts, ...manifest }: Manifest): object {
  const exports = Object.entries(manifest.exports).map(([subpath, path]) => [subpath, target(path)])
  const { bin = {} } = manifest
  const commands = Object.entries(bin).map(([name, path]) => [name, path.replace('./src/', './')])
  return {
    ...manifest,
    exports: Object.fromEntries(exports),
    ...(commands.length > 0 && { bin: Object.fromEntries(commands) }),
  }
}

function target(path: string): object | string {
  if (!path.startsWith('./src/')) return path
  const stem = path.replace('./src/', './').replace(/\.ts$/, '')
  return { types: `${stem}.d.ts`, default: `${stem}.js` }
}
