/** The JavaScript of a package: a file for each export, command and thread, and what they share in `chunks`, so that no class exists twice. */
import { rolldown } from 'rolldown'
import type { Manifest, Package } from '../packages.ts'

/**
 * Dependencies whose used part goes into the bundle. The whole of zod takes as long to load as the rest of Holdfast.
 * They stay dependencies, as the declarations name their types.
 */
const embeddable = ['zod']

export function embedded({ dependencies = {} }: Manifest): string[] {
  return embeddable.filter((name) => name in dependencies)
}

export async function bundle({ folder, manifest }: Package, dist: string): Promise<void> {
  const inside = embedded(manifest)
  const bundled = await rolldown({
    input: entries(manifest),
    cwd: folder,
    platform: 'node',
    external: (id) => isPackage(id) && !inside.includes(id),
    onLog(level, log) {
      if (level !== 'info') throw new Error(`${manifest.name}: ${log.message}`)
    },
  })
  await bundled.write({
    dir: dist,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    // Declarations have the comments; here they would be read at every start.
    comments: { jsdoc: false },
  })
  await bundled.close()
}

/** Path in `dist` without its ending → source. */
function entries({ exports, imports = {}, bin = {} }: Manifest): Record<string, string> {
  const sources = [...Object.values(exports), ...Object.values(imports), ...Object.values(bin)].filter(
    (path) => path.startsWith('./src/'),
  )
  return Object.fromEntries(sources.map((path) => [stemOf(path), path]))
}

function stemOf(path: string): string {
  return path.replace('./src/', '').replace(/\.[jt]s$/, '')
}

function isPackage(id: string): boolean {
  return !/^[./]/.test(id) && !/^[A-Z]:/i.test(id)
}
