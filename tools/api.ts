/**
 * The public surface of each package, committed as `packages/<name>/api.md` so that a review sees it change.
 * `node tools/api.ts` writes the files; with `--check` it fails where one is out of date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { exportedNames } from './api/exported.ts'
import { listPackages, type Package, root, withEmitted } from './packages.ts'

const check = process.argv.includes('--check')

await withEmitted(['--emitDeclarationOnly', '--removeComments'], (emitted) => {
  for (const found of listPackages()) settle(join(found.folder, 'api.md'), snapshot(found, emitted))
})

function settle(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return
  if (check) {
    console.error(`${relative(root, path)} is out of date: look at what changed, then run \`npm run api\``)
    process.exitCode = 1
  } else writeFileSync(path, text)
}

function snapshot({ name, manifest }: Package, emitted: string): string {
  const parts = Object.entries(manifest.exports).map(([subpath, path]) => {
    const title = `## ${manifest.name}${subpath.slice(1)}`
    if (!path.endsWith('.ts')) return `${title}\n\nFiles: \`${path}\``
    const names = exportedNames(join(emitted, 'packages', name, path.replace(/\.ts$/, '.d.ts')))
    const texts = [...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
    return `${title}\n\n${names.size} names\n\n\`\`\`ts\n${texts.join('\n')}\n\`\`\``
  })
  const head = `# The public surface of ${manifest.name}\n\nWritten by \`npm run api\`.`
  return `${[head, ...parts].join('\n\n')}\n`
}
