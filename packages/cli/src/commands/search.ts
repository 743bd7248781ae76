/** `holdfast search`: hits with what stands around them, and how to jump there. */
import type { SearchPage, SessionSummary } from '@holdfast/core'
import { command, examples } from '../command.ts'
import type { Place } from '../place/place.ts'
import { resolveId, shownId } from '../sessions/resolve-id.ts'
import { sessionName } from '../sessions/session-name.ts'
import { moment } from '../terminal/figures.ts'
import { plainLine } from '../terminal/plain.ts'
import type { Style } from '../terminal/style.ts'
import { cut } from '../terminal/width.ts'
import { eventText } from '../transcript/event-text.ts'
import { type Snippet, snippetLine, snippetOf } from '../transcript/snippet.ts'
import { positiveNumber, wholeNumber } from '../values.ts'

interface Options {
  session?: string
  limit: number
  offset: number
}

export interface Hit {
  sessionId: string
  seq: number
  score: number
  at: string
  session: string
  who: string
  snippet: Snippet
}

const widest = 110
const widthOfPipe = 200

export const searchCommand = command<Options>({
  define(command) {
    command
      .option('--session <id>', 'only in this session')
      .option('-n, --limit <count>', 'so many at most', positiveNumber, 10)
      .option('--offset <count>', 'after so many', wholeNumber, 0)
    examples(command, [
      ['holdfast search sqlite timeout', 'messages and results with both words, best first'],
      ['holdfast search refund --session last', 'in the session that changed last'],
      ['holdfast search 寿司 --json', 'for a program'],
    ])
  },
  async run(context, words, options) {
    const { output } = context
    const holdfast = await context.place()
    const query = words.join(' ')
    const page = await pageOf(holdfast, query, options)
    const hits = await hitsOf(holdfast, page, query)
    if (output.wantsData) {
      await output.data(hits, () => page.next)
      return undefined
    }
    if (hits.length === 0)
      await output.aside(`Nothing has ${words.length > 1 ? 'all of these words' : 'this word'}.`)
    const width = Math.min(output.width ?? widthOfPipe, widest)
    await output.lines(
      hits.flatMap((hit) => hitLines(hit, { width, style: output.style, wholeIds: !output.isTerminal })),
    )
    if (page.next !== undefined) await output.aside(`More: --offset ${page.next}`)
    return undefined
  },
})

/** A search takes in what waits, up to a bound; a person wants all of it. */
async function pageOf(holdfast: Place, query: string, options: Options): Promise<SearchPage> {
  const { limit, offset, session } = options
  const where = session === undefined ? {} : { sessionId: await resolveId(holdfast, session) }
  for (;;) {
    const page = await holdfast.search(query, { limit, offset, ...where })
    if (!page.behind) return page
  }
}

async function hitsOf(holdfast: Place, { hits }: SearchPage, query: string): Promise<Hit[]> {
  const names = new Map<string, string>()
  const found: Hit[] = []
  for (const { sessionId, seq, score } of hits) {
    const session = await holdfast.sessions.open(sessionId)
    const [event] = (await session.events({ after: seq - 1, through: seq, limit: 1 })).events
    if (!event) continue
    const name = names.get(sessionId) ?? (await sessionName(holdfast, await nameable(holdfast, sessionId)))
    names.set(sessionId, name)
    const { who, text } = eventText(event)
    found.push({ sessionId, seq, score, at: event.at, session: name, who, snippet: snippetOf(text, query) })
  }
  return found
}

async function nameable(
  holdfast: Place,
  id: string,
): Promise<Pick<SessionSummary, 'id' | 'title' | 'agentName'>> {
  return (await holdfast.sessions.get(id)) ?? { id, agentName: id }
}

function hitLines(
  { sessionId, seq, at, session, who, snippet }: Hit,
  { width, style, wholeIds }: { width: number; style: Style; wholeIds: boolean },
): string[] {
  const place = `${moment(at)} · ${plainLine(who)}`
  return [
    `${style.title(cut(session, width - place.length - 3))} ${style.faint(`· ${place}`)}`,
    `  ${snippetLine(snippet, width - 2, style)}`,
    `  ${style.accent(`holdfast show ${shownId(sessionId, wholeIds)} --at ${seq}`)}`,
    '',
  ]
}
