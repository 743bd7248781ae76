/** The transcripts that come with the project, imported into an open Holdfast. */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import type { Holdfast } from '@holdfast/core'
import { importClaudeCode } from './import/claude-code.ts'
import { ImportResult } from './import/import-result.ts'
import { listPrice } from './import/prices.ts'
import { importTauBench } from './import/tau-bench.ts'

export const transcripts = join(import.meta.dirname, 'transcripts')

export async function importBundled(holdfast: Holdfast): Promise<ImportResult> {
  const result = new ImportResult()
  for (const path of filesOf('claude-code', '*.jsonl')) {
    result.add(await importClaudeCode(holdfast, path, { price: listPrice }))
  }
  for (const path of filesOf('tau-bench', '*.json')) result.add(await importTauBench(holdfast, path))
  return result
}

function filesOf(folder: string, pattern: string): string[] {
  const cwd = join(transcripts, folder)
  return globSync(pattern, { cwd })
    .sort()
    .map((file) => join(cwd, file))
}
