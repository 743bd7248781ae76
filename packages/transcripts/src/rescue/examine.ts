/** Why the program that wrote a transcript cannot go on with it. Memory holds the ids of its lines, not their content. */
import { HoldfastError } from '@holdfast/protocol'
import { formatOf } from '../formats.ts'
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
  return surveyed(path, async ({ survey, format, source }) => {
    const faults = [...survey.faults].sort((a, b) => a.line - b.line)
    return { format, lines: survey.lines, bytes: source.size, resumable: faults.length === 0, faults }
  })
}

export interface Surveyed {
  survey: Survey
  format: Examination['format']
  source: Source
}

/** The source is open for as long as `use` works with it. */
export async function surveyed<T>(path: string, use: (surveyed: Surveyed) => Promise<T>): Promise<T> {
  const source = await Source.open(path)
  try {
    return await use(await surveyOf(source))
  } finally {
    await source.close()
  }
}

async function surveyOf(source: Source): Promise<Surveyed> {
  const { name } = await formatOf(source)
  if (name === 'claude-code') return { survey: await surveyClaudeCode(source), format: name, source }
  if (name === 'codex') return { survey: await surveyCodex(source), format: name, source }
  throw new HoldfastError(
    'invalid_input',
    `${source.path} is of format ${name}; claude-code and codex can be examined`,
  )
}
