/** What an import did, and what of the files it could not carry over. */
import { basename } from 'node:path'
import type { ImportSummary } from '@holdfast/transcripts'
import { count, duration } from '../terminal/figures.ts'
import { plainLine } from '../terminal/plain.ts'
import type { Style } from '../terminal/style.ts'
import { cut } from '../terminal/width.ts'

export interface SummaryOptions {
  elapsedMs: number
  style: Style
  /** Columns of the terminal; without it nothing is cut. */
  width: number | undefined
  redacted: boolean
}

const failedShown = 10

export function summaryLines(summary: ImportSummary, options: SummaryOptions): string[] {
  const { style, width = Number.POSITIVE_INFINITY } = options
  const loss = summary.report.toLines().map(plainLine)
  return [
    headline(summary, options),
    ...(loss.length === 0 ? [] : ['', style.title('Not carried over as it was')]),
    ...loss.map((line) => `  ${style.faint(cut(line, width - 2))}`),
    ...passedOverLines(summary, style),
    ...failedLines(summary, style),
    ...secretLines(summary, options),
    ...(summary.stopped
      ? ['', style.warn('Stopped. What was written is whole; the same command goes on from there.')]
      : []),
  ]
}

function headline(summary: ImportSummary, { elapsedMs, style }: SummaryOptions): string {
  const { filesTotal, filesUnchanged, newSessions, imported, messages, events, passedOver } = summary
  if (filesTotal === passedOver.length) return 'No file to import.'
  const files = summary.files - passedOver.length
  const unchanged = filesUnchanged > 0 ? ` (${filesUnchanged.toLocaleString('en')} unchanged)` : ''
  if (events === 0) return `Nothing new in ${count(files, 'file')}${unchanged}.`
  const grown = imported.filter(({ isNew, events: written }) => !isNew && written > 0).length
  const parts = [
    count(newSessions, 'new session'),
    ...(grown > 0 ? [`${count(grown, 'session')} went on`] : []),
    count(messages, 'message'),
    count(events, 'event'),
  ]
  return `${style.good('✓')} ${parts.join(', ')} from ${count(files, 'file')}${unchanged} in ${duration(elapsedMs)}`
}

const passedOverShown = 5

/** By their names: a folder of each project may have one of the same. */
function passedOverLines({ passedOver }: ImportSummary, style: Style): string[] {
  if (passedOver.length === 0) return []
  const byName = Object.entries(Object.groupBy(passedOver, ({ path }) => basename(path)))
  const kinds = byName.map(([name, files = []]) => (files.length > 1 ? `${files.length} ${name}` : name))
  const more = kinds.length - passedOverShown
  const shown = [...kinds.slice(0, passedOverShown), ...(more > 0 ? [`${more} more`] : [])].map(plainLine)
  const files = count(passedOver.length, 'file that is no transcript', 'files that are no transcripts')
  const hint = 'import one by its name to see what was looked for'
  return ['', style.faint(`Passed over ${files} (${hint}): ${shown.join(', ')}`)]
}

function failedLines({ failed }: ImportSummary, style: Style): string[] {
  if (failed.length === 0) return []
  const more = failed.length - failedShown
  return [
    '',
    style.bad(`${count(failed.length, 'file')} could not be read`),
    ...failed.slice(0, failedShown).map((file) => `  ${plainLine(file.path)}: ${reasonOf(file)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ]
}

function reasonOf({ code, message }: ImportSummary['failed'][number]): string {
  return code === 'ENOENT' ? 'not there' : plainLine(message)
}

function secretLines({ secrets }: ImportSummary, { style, redacted }: SummaryOptions): string[] {
  if (secrets.size === 0) return []
  const kinds = [...secrets].map(([kind, times]) => `${times} ${kind}`).join(', ')
  const done = redacted ? 'left out' : 'kept; --redact-secrets leaves them out'
  return ['', `${style.warn('Secrets')} ${done}: ${kinds}`]
}

/** The same for a program. */
export function summaryData(summary: ImportSummary): object {
  const { imported, failed, passedOver, secrets, report, ...counts } = summary
  return {
    ...counts,
    imported,
    failed: failed.map(withoutCause),
    passedOver: passedOver.map(withoutCause),
    secrets: Object.fromEntries(secrets),
    report: {
      lines: Object.fromEntries(report.lines),
      keptOpaque: Object.fromEntries(report.keptOpaque),
      dropped: Object.fromEntries(report.dropped),
      repaired: Object.fromEntries(report.repaired),
      broken: report.broken,
    },
  }
}

function withoutCause({ path, code, message }: ImportSummary['failed'][number]): object {
  return { path, code, message }
}
