/**
 * Short ids: the beginning or the end of an id, where only one session has it. Ends are the better ones, for ids that are
 * made within a minute begin alike. They are looked for among the sessions that changed last, a bounded number of them.
 */
import type { SessionSummary } from '@holdfast/core'
import { HoldfastError } from '@holdfast/protocol'
import type { Place } from '../place/place.ts'
import { plainLine } from '../terminal/plain.ts'

/** Characters of an id's end that lists show. */
const shortLength = 8
/** Fewer characters than these are no id. */
const leastLength = 3
const pages = 50
const pageItems = 1_000
const candidatesShown = 10

export function shortId(id: string): string {
  return id.length > shortLength ? id.slice(-shortLength) : id
}

/** An id as it is shown: a person is given its end, a program all of it. */
export function shownId(id: string, isWhole = false): string {
  return isWhole ? id : shortId(id)
}

/** The id of the one session that is meant; `last` is the one that changed last. */
export async function resolveId(holdfast: Place, text: string): Promise<string> {
  if (await holdfast.sessions.get(text)) return text
  if (text === 'last') return newest(holdfast)
  if (text.length < leastLength) throw tooShort(text)
  const found = await candidatesFor(holdfast, text)
  const [first, ...others] = found
  if (!first) throw missing(text)
  if (others.length > 0) throw ambiguous(text, found)
  return first.id
}

async function newest(holdfast: Place): Promise<string> {
  const [session] = (await holdfast.sessions.list({}, { limit: 1 })).sessions
  if (session) return session.id
  throw new HoldfastError('not_found', 'There is no session yet.\n  holdfast import <paths…> brings some in.')
}

async function candidatesFor(holdfast: Place, text: string): Promise<SessionSummary[]> {
  const found: SessionSummary[] = []
  let after: string | undefined
  for (let page = 0; page < pages; page++) {
    const { sessions, next } = await holdfast.sessions.list(
      {},
      { limit: pageItems, ...(after !== undefined && { after }) },
    )
    found.push(...sessions.filter(({ id }) => id.endsWith(text) || id.startsWith(text)))
    if (next === undefined) break
    after = next
  }
  return found
}

function tooShort(text: string): HoldfastError {
  const message = `${JSON.stringify(text)} is no session, and too short for a part of an id: give ${leastLength} characters or more.`
  return new HoldfastError('not_found', message, { details: { sessionId: text } })
}

function missing(text: string): HoldfastError {
  const message = `There is no session ${JSON.stringify(text)}.\n  holdfast sessions lists them.`
  return new HoldfastError('not_found', message, { details: { sessionId: text } })
}

function ambiguous(text: string, found: readonly SessionSummary[]): HoldfastError {
  const shown = found.slice(0, candidatesShown).map(({ id, title, agentName, lastActivityAt }) => {
    const name = plainLine(title ?? agentName).slice(0, 60)
    return `  ${id}  ${lastActivityAt.slice(0, 16).replace('T', ' ')}  ${name}`
  })
  const more = found.length - shown.length
  const message = [
    `${JSON.stringify(text)} is the beginning or end of ${found.length} ids. Give more of the one you mean:`,
    ...shown,
    ...(more > 0 ? [`  and ${more} more`] : []),
  ].join('\n')
  return new HoldfastError('invalid_input', message, { details: { candidates: found.map(({ id }) => id) } })
}
