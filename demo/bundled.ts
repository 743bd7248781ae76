/** The transcripts that come with the project, imported into an open Holdfast. */
import { join } from 'node:path'
import type { Holdfast } from '@holdfast/core'
import { type ImportSummary, importPaths } from '@holdfast/transcripts'
import { listPrice } from './prices.ts'

const transcripts = join(import.meta.dirname, 'transcripts')

export function importBundled(holdfast: Holdfast): Promise<ImportSummary> {
  const folders = ['claude-code', 'tau-bench'].map((folder) => join(transcripts, folder))
  return importPaths(holdfast, folders, { price: listPrice })
}
