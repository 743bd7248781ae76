/** The log of a server: lines of JSON, without the secrets in what they quote. */
import { type DestinationStream, type Logger, pino } from 'pino'
import type { Answered } from '../operations/answered.ts'
import { redacted } from './redacted.ts'

export type LogLevel = 'error' | 'info' | 'silent'

/** Answers: one each at `info`; what failed here, with what caused it, at `error`: before an answer, or within one that broke off. */
export function requestLog(level: LogLevel, destination: DestinationStream): (answered: Answered) => void {
  const logger = loggerOf(level, destination)
  return ({ error, ...facts }) => {
    if (error && error.status >= 500)
      logger.error({ ...facts, code: error.code, err: chainOf(error) }, error.message)
    else logger.info({ ...facts, ...(error && { code: error.code }) }, 'answered')
  }
}

/** What failed with nobody waiting for it, with what caused that. */
export function faultLog(
  level: LogLevel,
  destination: DestinationStream,
): (error: unknown, sessionId?: string) => void {
  const logger = loggerOf(level, destination)
  return (error, sessionId) => {
    const where = sessionId === undefined ? {} : { sessionId }
    const message = error instanceof Error ? error.message : String(error)
    logger.error({ ...where, err: chainOf(error) }, message)
  }
}

function loggerOf(level: LogLevel, destination: DestinationStream): Logger {
  return pino({ level, base: null, hooks: { streamWrite: redacted } }, destination)
}

/** What went wrong, and what that came from. */
function chainOf(error: unknown): string[] {
  const chain: string[] = []
  for (let one = error; one instanceof Error && chain.length < 8; one = one.cause)
    chain.push(one.stack ?? String(one))
  return chain
}
