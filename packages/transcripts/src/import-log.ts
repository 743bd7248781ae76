/** Imports a session in Holdfast's own format from lines that are no file, such as the body of a request. */
import type { Holdfast } from '@holdfast/core'
import type { Json } from '@holdfast/protocol'
import { Destination, type ImportedSummary } from './destination.ts'
import { readHoldfast } from './holdfast/read.ts'
import { LossReport } from './loss-report.ts'
import { readText } from './read-lines.ts'

export interface LogImportOptions {
  /** What the lines are called in messages. */
  name: string
  /** Aborted: stops between two commits. */
  signal?: AbortSignal
}

/**
 * The whole log, or what of it is new: what was committed before a failure stays, and the same lines again go on from there.
 * Throws `invalid_input` with the line that cannot be read, `id_taken` when the session here has other events.
 */
export async function importLog(
  holdfast: Holdfast,
  texts: AsyncIterable<string>,
  { name, signal }: LogImportOptions,
): Promise<ImportedSummary | undefined> {
  const into = new Destination({
    holdfast,
    report: new LossReport(),
    price: (usage) => usage,
    signal,
    onWritten: () => undefined,
  })
  await readHoldfast({ path: name, lines: () => numbered(texts) }, into)
  return into.sessions.at(-1)
}

async function* numbered(texts: AsyncIterable<string>) {
  let number = 0
  for await (const text of texts) {
    number += 1
    const { value, broken, repaired } = text.trim() === '' ? { value: undefined } : readText(text)
    const why =
      broken ?? repaired ?? (value !== undefined && !isObject(value) ? 'not a JSON object' : undefined)
    yield why === undefined ? { number, value } : { number, value: undefined, broken: why }
  }
}

function isObject(value: Json): boolean {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
