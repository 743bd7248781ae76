/** What a doctor found, as lines. */
import type { Finding } from '@holdfast/core'
import { count } from './figures.ts'
import { plainLine } from './plain.ts'
import type { Look, Style } from './style.ts'

const looks: Readonly<Record<Finding['severity'], Look>> = { error: 'bad', warning: 'warn', note: 'faint' }

export function findingLine(
  { severity, code, repair, sessionId, seq, message }: Finding,
  style: Style,
): string {
  const place = sessionId === undefined ? 'store' : `${sessionId}${seq === undefined ? '' : `#${seq}`}`
  const way = repair === 'none' ? '' : ` ${style.faint(`(${repair})`)}`
  return `${style[looks[severity]](severity)} ${code} ${style.accent(place)} ${plainLine(message)}${way}`
}

export function findingsSummary(findings: readonly Pick<Finding, 'severity'>[]): string {
  const of = (severity: Finding['severity']) => findings.filter((one) => one.severity === severity).length
  return `${count(of('error'), 'error')}, ${count(of('warning'), 'warning')}, ${count(of('note'), 'note')}.`
}
