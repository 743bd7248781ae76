/** `holdfast doctor`: looks for damage in the store, in one session, or in a transcript file of another program. */
import { resolve } from 'node:path'
import type { Finding } from '@holdfast/core'
import { HoldfastError } from '@holdfast/protocol'
import { command, examples } from '../command.ts'
import type { Context, Ended } from '../context.ts'
import { resolveId } from '../sessions/resolve-id.ts'
import { faultLine } from '../terminal/fault-lines.ts'
import { count } from '../terminal/figures.ts'
import { findingLine, findingsSummary } from '../terminal/finding-lines.ts'

interface Options {
  file?: string
  everyTenant?: true
}

export const doctorCommand = command<Options>({
  define(command) {
    command
      .option('--every-tenant', 'the whole store, not only the sessions of this tenant')
      .option('--file <file>', 'a file of Claude Code or Codex: can it be resumed, and if not, why')
    examples(command, [
      ['holdfast doctor', 'reads everything; changes nothing'],
      ['holdfast doctor 3768e8c2', 'one session'],
      [
        'holdfast doctor --file ~/.claude/projects/-home-me/0ccf1a04.jsonl',
        'why a session cannot be resumed',
      ],
    ])
  },
  async run(context, [text], { file, everyTenant }) {
    if (file !== undefined) {
      if (text !== undefined) throw new HoldfastError('invalid_input', '--file takes no session.')
      return examineFile(context, file)
    }
    const { output } = context
    const holdfast = await context.open()
    const where = {
      ...(text === undefined ? { replication: true } : { sessionId: await resolveId(holdfast, text) }),
      ...(everyTenant && { everyTenant }),
    }
    const findings: Finding[] = []
    async function* noted() {
      for await (const finding of holdfast.doctor(where)) {
        findings.push(finding)
        yield finding
      }
    }
    if (output.wantsData) await output.data(noted())
    else {
      for await (const finding of noted()) await output.lines([findingLine(finding, output.style)])
      await output.lines([
        findings.length === 0 ? output.style.good('Nothing wrong.') : findingsSummary(findings),
      ])
      if (findings.some(({ repair }) => !['none', 'restore'].includes(repair)))
        await output.aside(`holdfast repair ${text ?? '--dry-run'} puts right what can be.`)
    }
    return findings.some(({ severity }) => severity === 'error') ? 'findings' : undefined
  },
})

async function examineFile({ output, world }: Context, file: string): Promise<Ended> {
  const { examine } = await import('@holdfast/transcripts')
  const examination = await examine(resolve(world.cwd, file))
  const { format, lines, resumable, faults } = examination
  if (output.wantsData) await output.one(examination)
  else {
    await output.lines(faults.map((fault) => faultLine(fault, output.style)))
    const verdict = resumable
      ? output.style.good('It can be resumed.')
      : output.style.bad('It cannot be resumed as it is.')
    await output.lines([`${format}, ${count(lines, 'line')}, ${count(faults.length, 'fault')}. ${verdict}`])
    if (faults.length > 0)
      await output.aside(`holdfast repair --file ${file} --out <file> writes a mended copy.`)
  }
  return resumable ? undefined : 'findings'
}
