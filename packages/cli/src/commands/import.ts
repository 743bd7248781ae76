/** `holdfast import`: transcripts of other programs become sessions; again, only what is new is written. */
import { resolve } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import { formats, type ImportOptions, type ImportSummary, importPaths } from '@holdfast/transcripts'
import { command, examples } from '../command.ts'
import type { Context, Ended } from '../context.ts'
import { changed, lookOf } from '../import/changes.ts'
import { pricedBy } from '../import/prices.ts'
import { summaryData, summaryLines } from '../import/summary-lines.ts'
import { type ImportTarget, importTarget } from '../import/target.ts'
import { ProgressBar, progressLine } from '../terminal/progress.ts'
import { choice } from '../values.ts'

interface Options {
  format?: string
  watch?: true
  redactSecrets?: true
  prices?: false
}

const watchEveryMs = 1_000

export const importCommand = command<Options>({
  define(command) {
    command
      .addOption(
        choice(
          '--format <format>',
          'what the files are; default: found by content',
          formats.map(({ name }) => name),
        ),
      )
      .option('--watch', 'go on: what is written to the paths comes in as it is written')
      .option('--redact-secrets', 'leave out keys and tokens of known shapes')
      .option('--no-prices', 'leave calls unpriced where the files tell no price')
    examples(command, [
      ['holdfast import ~/.claude/projects', 'everything that Claude Code kept'],
      ['holdfast import ~/.codex/sessions --watch', 'Codex, and what it writes from now on'],
      ['holdfast import run.jsonl --format openai-chat', 'one file'],
      ['holdfast import ~/.claude/projects', 'again: only what is new'],
    ])
  },
  async run(context, given, options) {
    const { output, world } = context
    if (given.includes('')) throw new HoldfastError('invalid_input', 'A path is empty.\n  . is this folder.')
    const paths = given.map((path) => resolve(world.cwd, path))
    const target = await importTarget(context, { isPriced: options.prices !== false })
    await output.aside(output.style.faint(target.name))
    const signal = context.interruption()
    const terms: ImportOptions = {
      signal,
      ...(target.threads && { threads: target.threads }),
      prices: async () => pricedBy(await target.prices()),
      ...(options.format !== undefined && { format: options.format }),
      ...(options.redactSecrets && { redactSecrets: true }),
    }
    for (;;) {
      const seen = options.watch ? await lookOf(paths) : ''
      const startMs = world.now()
      const summary = await importOnce(context, target, paths, terms)
      const isWorthTelling = summary.events > 0 || summary.failed.length > 0 || !options.watch
      if (isWorthTelling || signal.aborted) await tell(context, summary, { options, startMs })
      if (!options.watch) return endingOf(summary)
      if (isWorthTelling) await output.aside(output.style.faint('Watching (Ctrl-C ends it)'))
      if (!(await changed(paths, seen, { everyMs: watchEveryMs, signal }))) return undefined
    }
  },
})

async function importOnce(
  { world, output }: Context,
  { into, settle }: ImportTarget,
  paths: readonly string[],
  terms: ImportOptions,
): Promise<ImportSummary> {
  const bar = new ProgressBar(world.stderr, output.style, world.now, progressLine)
  let drawing: Promise<void> = Promise.resolve()
  try {
    const summary = await importPaths(into, paths, {
      ...terms,
      onProgress: (progress) => {
        drawing = drawing.then(() => bar.show(progress))
      },
    })
    await settle()
    return summary
  } finally {
    await drawing
    await bar.clear()
  }
}

async function tell(
  { world, output }: Context,
  summary: ImportSummary,
  { options, startMs }: { options: Options; startMs: number },
): Promise<void> {
  if (output.wantsData) return output.one(summaryData(summary))
  const { style, width } = output
  const redacted = options.redactSecrets ?? false
  await output.lines(summaryLines(summary, { elapsedMs: world.now() - startMs, style, width, redacted }))
}

function endingOf({ stopped, failed }: ImportSummary): Ended {
  if (stopped) return 'interrupted'
  if (failed.length === 0) return undefined
  return failed.every(({ code }) => code === 'ENOENT' || code === 'not_found') ? 'missing' : 'failed'
}
