/** `holdfast export`: sessions in the format of another program, or as Holdfast's own log. */
import { mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import { exportSession, formats, type LossReport } from '@holdfast/transcripts'
import { command, examples } from '../command.ts'
import { writeOut } from '../export/out-file.ts'
import { resolveId } from '../sessions/resolve-id.ts'
import { plainLine } from '../terminal/plain.ts'
import { choice } from '../values.ts'

interface Options {
  format: string
  out?: string
  folder?: string
  force?: true
}

export const exportCommand = command<Options>({
  define(command) {
    const writable = formats.filter(({ write }) => write).map(({ name }) => name)
    command
      .addOption(choice('--format <format>', 'what to write', writable).default('holdfast'))
      .option('-o, --out <file>', 'into this file; default the output')
      .option('--folder <folder>', 'a file for each session in this folder')
      .option('--force', 'write over files that exist')
    examples(command, [
      ['holdfast export last > session.jsonl', "Holdfast's own log: nothing is lost"],
      ['holdfast export 3768e8c2 --format claude-code -o chat.jsonl', 'to go on with it there'],
      ['holdfast export 3768e8c2 90cb2d11 --folder ./out', 'several'],
    ])
  },
  async run(context, texts, options) {
    const { output, world } = context
    if (options.out !== undefined && options.folder !== undefined)
      throw new HoldfastError('invalid_input', 'choose --out or --folder.')
    if (texts.length > 1 && options.folder === undefined)
      throw new HoldfastError('invalid_input', 'several sessions need --folder <folder>.')
    const holdfast = await context.place()
    const exported: object[] = []
    for (const text of texts) {
      const id = await resolveId(holdfast, text)
      const path = pathFor(id, world.cwd, options)
      if (path === undefined) {
        const report = await exportSession(holdfast, id, options.format, world.stdout)
        await world.stderr.write(lossLines(report))
        continue
      }
      if (options.folder !== undefined) mkdirSync(dirname(path), { recursive: true })
      const report = await writeOut(path, { force: options.force ?? false }, (sink) =>
        exportSession(holdfast, id, options.format, sink),
      )
      exported.push({ sessionId: id, path })
      await output.aside(
        ...(output.wantsData ? [] : [path]),
        ...lossLines(report).split('\n').filter(Boolean),
      )
    }
    if (output.wantsData && exported.length > 0) await output.data(exported)
    return undefined
  },
})

function pathFor(id: string, cwd: string, { out, folder }: Options): string | undefined {
  if (out !== undefined) return resolve(cwd, out)
  return folder === undefined ? undefined : join(resolve(cwd, folder), `${id}.jsonl`)
}

function lossLines(report: LossReport): string {
  return report
    .toLines()
    .map((line) => `${plainLine(line)}\n`)
    .join('')
}
