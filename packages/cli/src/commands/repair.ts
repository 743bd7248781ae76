/** `holdfast repair`: puts right what the doctor finds, or writes a mended copy of a transcript file. */
import { resolve } from 'node:path'
import type { Repaired } from '@holdfast/core'
import { HoldfastError } from '@holdfast/protocol'
import type { TranscriptRepair } from '@holdfast/transcripts'
import { command, examples } from '../command.ts'
import type { Context, Ended } from '../context.ts'
import { resolveId } from '../sessions/resolve-id.ts'
import { faultLine } from '../terminal/fault-lines.ts'
import { count } from '../terminal/figures.ts'
import { findingLine, findingsSummary } from '../terminal/finding-lines.ts'
import { plainLine } from '../terminal/plain.ts'
import type { Style } from '../terminal/style.ts'

interface Options {
  dryRun?: true
  everyTenant?: true
  file?: string
  out?: string
}

export const repairCommand = command<Options>({
  define(command) {
    command
      .option('--dry-run', 'say what would be done, and do nothing')
      .option('--every-tenant', 'the whole store, not only the sessions of this tenant')
      .option('--file <file>', 'a file of Claude Code or Codex that cannot be resumed')
      .option('--out <file>', 'where its mended copy goes; the file itself is never changed')
    examples(command, [
      ['holdfast repair --dry-run', 'what it would do'],
      ['holdfast repair', 'logs are only appended to; what is derived from them is made anew'],
      ['holdfast repair --file chat.jsonl --out mended.jsonl', 'so that the program can resume it'],
    ])
  },
  async run(context, [text], { dryRun = false, everyTenant, file, out }) {
    if (file !== undefined || out !== undefined) return repairFile(context, file, out)
    const { output } = context
    const holdfast = await context.open()
    const target =
      text === undefined
        ? holdfast.doctor(everyTenant ? { everyTenant } : {})
        : await resolveId(holdfast, text)
    const repaired = await holdfast.repair(target, { dryRun })
    if (output.wantsData) await output.one(repaired)
    else await output.lines(repairedLines(repaired, output.style))
    return repaired.left.some(({ severity }) => severity === 'error') ? 'findings' : undefined
  },
})

export function repairedLines({ dryRun, repaired, left }: Repaired, style: Style): string[] {
  if (repaired.length + left.length === 0) return [style.good('Nothing to put right.')]
  const lines = [
    ...repaired.map((finding) => `${style.good(dryRun ? '→' : '✓')} ${findingLine(finding, style)}`),
    ...left.map((finding) => `${style.bad('✗')} ${findingLine(finding, style)}`),
  ]
  const done = `${dryRun ? 'Would put right' : 'Put right'} ${repaired.length}.`
  return [...lines, left.length === 0 ? done : `${done} Left: ${findingsSummary(left)}`]
}

async function repairFile(
  { output, world }: Context,
  file: string | undefined,
  out: string | undefined,
): Promise<Ended> {
  if (file === undefined || out === undefined) {
    throw new HoldfastError('invalid_input', 'say both: --file <file> --out <file>.')
  }
  const { repair } = await import('@holdfast/transcripts')
  const target = resolve(world.cwd, out)
  const done = await repair(resolve(world.cwd, file), target)
  if (output.wantsData) await output.one({ ...done, path: target })
  else await output.lines(mendedLines(done, target, output.style))
  return done.left.length > 0 ? 'findings' : undefined
}

function mendedLines(
  { lines, repaired, left, moved, aside }: TranscriptRepair,
  path: string,
  style: Style,
): string[] {
  return [
    ...repaired.map((fault) => `${style.good('✓')} ${faultLine(fault, style)}`),
    ...left.map((fault) => `${style.bad('✗')} ${faultLine(fault, style)}`),
    `${path} (${count(lines, 'line')})`,
    ...moved.map(({ line, path: file, bytes }) => `line ${line}: ${bytes} bytes are in ${plainLine(file)}`),
    ...(aside === undefined ? [] : [`${aside} holds the lines that could not stay, as they were.`]),
  ]
}
