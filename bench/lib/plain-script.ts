/** A child's source as JavaScript: what Node needs to strip types would be measured with what the child measures. */
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

export async function plainScript(source: URL, folder: string): Promise<URL> {
  const bundle = await rolldown({ input: fileURLToPath(source), platform: 'node' })
  const file = join(folder, 'child.mjs')
  await bundle.write({ file })
  await bundle.close()
  return pathToFileURL(file)
}
