/** Answers as lines of JSON: one each at `info`, those of 500 and above at `error` with what caused them. */
import { type DestinationStream, pino } from 'pino'
import type { Answered } from '../operations/answered.ts'
import { redacted } from './redacted.ts'

export type LogLevel = 'error' | 'info' | 'silent'

export function requestLog(level: LogLevel, destination: DestinationStream): (answered: Answered) => void {
  const logger = pino({ level, base: null, hooks: { streamWrite: redacted } }, destination)
  return ({ error, ...facts }) => {
    if (error && facts.status >= 500)
      logger.error({ ...facts, code: error.code, err: chainOf(error) }, error.message)
    else logger.info({ ...facts, ...(error && { code: error.code }) }, 'answered')
  }
}

/** What went wrong, and what that came from. */
function chainOf(error: unknown): string[] {
  const chain: string[] = []
  for (let one = error; one instanceof Error && chain.length < 8; one = one.cause)
    chain.push(one.stack ?? String(one))
  return chain
}
