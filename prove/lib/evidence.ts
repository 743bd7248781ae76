/** What the proofs found, as a page. It names versions and figures, no machine and no place. */
import type { Proof } from './proofs.ts'
import { hasFaults, phrase, type Summary } from './summary.ts'

export interface Result {
  proof: Proof
  /** Absent: it ended without one, which is a fault. */
  summary: Summary | undefined
  seconds: number
  planted: readonly { bug: string; caught: boolean }[]
}

/** True when it found no fault and each planted bug; skipped counts as neither found nor failed. */
export function isProved({ summary, planted }: Result): boolean {
  if (summary?.skipped !== undefined) return true
  return summary !== undefined && !hasFaults(summary) && planted.every(({ caught }) => caught)
}

export interface Circumstances {
  date: string
  versions: Readonly<Record<string, string>>
}

export function evidencePage(results: readonly Result[], { date, versions }: Circumstances): string {
  const all = Object.assign({}, versions, ...results.map(({ summary }) => summary?.versions))
  const named = Object.entries(all).map(([name, version]) => `${name} ${version}`)
  return [
    '# Evidence',
    '',
    'Written by `npm run prove`, which runs every proof of `prove/` with few rounds, and then each planted bug, which the',
    'proof must catch. `prove/README.md` says how to run one for long.',
    '',
    `${date}, ${named.join(', ')}.`,
    '',
    '| proof | what it shows | counted | faults | planted bug | seed | seconds |',
    '|---|---|---|---|---|---|---|',
    ...results.map(row),
    '',
  ].join('\n')
}

function row({ proof, summary, seconds, planted }: Result): string {
  const bugs = planted.map(({ bug, caught }) => `${bug}: ${caught ? 'caught' : '**not caught**'}`)
  const cells = [
    `\`${proof.name}\``,
    proof.shows,
    summary?.skipped === undefined ? phrase(summary?.counted ?? {}) : `skipped: ${summary.skipped}`,
    faultsOf(summary),
    bugs.join('<br>'),
    String(summary?.seed ?? ''),
    seconds.toFixed(0),
  ]
  return `| ${cells.join(' | ')} |`
}

function faultsOf(summary: Summary | undefined): string {
  if (summary === undefined) return '**it broke off**'
  if (summary.skipped !== undefined) return ''
  return hasFaults(summary) ? `**${phrase(summary.faults)}**` : 'none'
}
