/** Which files were imported, and how they looked then. */
import { createHash } from 'node:crypto'
import type { FoundFile } from './discover.ts'
import type { ImportPlace } from './import-place.ts'

/** As an earlier import left it: it need not be read. */
export async function isKnown(holdfast: ImportPlace, { path, stamp }: FoundFile): Promise<boolean> {
  return (await holdfast.importSources.get(idOf(path)))?.body.stamp === stamp
}

/** Once all of it is in sessions. */
export async function noteImported(
  holdfast: ImportPlace,
  { path, stamp }: FoundFile,
  format: string,
): Promise<void> {
  await holdfast.importSources.put(idOf(path), { path, format, stamp })
}

function idOf(path: string): string {
  return createHash('sha256').update(path).digest('hex')
}
