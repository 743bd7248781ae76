/** What stands against resuming a transcript file, as a line. */
import type { Fault } from '@holdfast/transcripts'
import { plainLine } from './plain.ts'
import type { Style } from './style.ts'

export function faultLine({ code, line, message }: Fault, style: Style): string {
  const place = line === 0 ? 'file' : `line ${line}`
  return `${style.bad(code)} ${style.accent(place)} ${plainLine(message)}`
}
