/** How far a copy is, and what it did. */
import type { CopyProgress, CopySummary } from '@holdfast/core'
import { bytes, count, duration, shortCount } from '../terminal/figures.ts'
import { plainLine } from '../terminal/plain.ts'
import { barLine, type ProgressLineOptions, paceParts } from '../terminal/progress.ts'
import type { Style } from '../terminal/style.ts'

/** The bar goes by events: sessions differ too much in length. */
export function copyLine(progress: CopyProgress, { elapsedMs, ...look }: ProgressLineOptions): string {
  const { sessions, sessionsTotal, events, eventsTotal } = progress
  const share = eventsTotal === 0 ? 0 : Math.min(events / eventsTotal, 1)
  const parts = [
    `${sessions.toLocaleString('en')}/${count(sessionsTotal, 'session')}`,
    `${shortCount(events)} events`,
    ...paceParts(events, share, elapsedMs),
  ]
  return barLine(share, parts, look)
}

const failedShown = 10

export function copiedLines(summary: CopySummary, { elapsedMs, style }: { elapsedMs: number; style: Style }) {
  const { written, events, verified, checkpoints, records, deleted, onlyThere, failed, stopped } = summary
  const beside = [
    ...(checkpoints > 0 ? [count(checkpoints, 'checkpoint')] : []),
    ...(records > 0 ? [count(records, 'record')] : []),
  ]
  const size = events > 0 ? ` (${bytes(summary.bytes)})` : ''
  const wrote = [`${count(written, 'session')} written`, `${count(events, 'event')}${size}`, ...beside]
  return [
    `${style.good('✓')} ${wrote.join(', ')} in ${duration(elapsedMs)}`,
    `${count(verified, 'session')} read on both sides, with the same hashes.`,
    ...(deleted > 0
      ? [`${count(deleted, 'session')} deleted there as they were here; their usage stays.`]
      : []),
    ...(onlyThere > 0
      ? [`${count(onlyThere, 'session')} only there: deleted here, or never from here.`]
      : []),
    ...failed
      .slice(0, failedShown)
      .map(({ sessionId, message }) => `${style.bad('✗')} ${plainLine(sessionId)}: ${plainLine(message)}`),
    ...(failed.length > failedShown ? [`  and ${failed.length - failedShown} more`] : []),
    ...(stopped
      ? [style.warn('Stopped. What was written is whole; the same command goes on from there.')]
      : []),
  ]
}
