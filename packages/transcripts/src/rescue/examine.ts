/** Why the program that wrote a transcript cannot go on with it. Memory holds the ids of its lines, not their content. */
import { HoldfastError } from '@holdfast/protocol'
import { detectFormat } from '../formats.ts'
import { SecretFinder } from '../secrets.ts'
import { Source } from '../source.ts'
import { surveyClaudeCode } from './claude-code.ts'
import { surveyCodex } from './codex.ts'
import type { Fault } from './fault.ts'
import type { Survey } from './survey.ts'

export interface Examination {
  format: 'claude-code' | 'codex'
  /** Lines with something in them. */
  lines: number
  bytes: number
  /** True: nothing stands against going on. */
  resumable: boolean
  /** In the order of the file. */
  faults: Fault[]
}

/** `invalid_input` for a file that is no Claude Code or Codex transcript. */
export async function examine(path: string): Promise<Examination> {
  const { survey, format, source } = await surveyOf(path)
  const faults = [...survey.faults].sort((a, b) => a.line - b.line)
  return { format, lines: survey.lines, bytes: source.size, resumable: faults.length === 0, faults }
}

export async function surveyOf(
  path: string,
): Promise<{ survey: Survey; format: Examination['format']; source: Source }> {
  const { name } = await detectFormat(path)
  const source = await Source.open(path, { secrets: new SecretFinder({ redact: false }) })
  if (name === 'claude-code') return { survey: await surveyClaudeCode(source), format: name, source }
  if (name === 'codex') return { survey: await surveyCodex(source), format: name, source }
  throw new HoldfastError(
    'invalid_input',
    `${path} is of format ${name}; claude-code and codex can be examined`,
  )
}
