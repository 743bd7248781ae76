/** `holdfast show`: a session as a transcript. */
import type { Session } from '@holdfast/protocol'
import { command, examples } from '../command.ts'
import type { Place, PlaceSession } from '../place/place.ts'
import { resolveId } from '../sessions/resolve-id.ts'
import { sessionName } from '../sessions/session-name.ts'
import { paged } from '../terminal/pager.ts'
import { type Entry, entriesOf } from '../transcript/entries.ts'
import { headerLines } from '../transcript/header-lines.ts'
import { entryLines, type TranscriptOptions } from '../transcript/transcript-lines.ts'
import { positiveNumber } from '../values.ts'

interface Options {
  full?: true
  tail?: number
  at?: number
  pager?: false
}

/** Messages before the one that is jumped to. */
const contextMessages = 3
const widest = 110
const widthOfPipe = 100

export const showCommand = command<Options>({
  define(command) {
    command
      .option('--full', 'tool calls, reasoning and summaries whole, not folded to a line')
      .option('--tail <count>', 'only the last messages', positiveNumber)
      .option('--at <seq>', 'from a few messages before this seq', positiveNumber)
      .option('--no-pager', 'straight to the terminal')
    examples(command, [
      ['holdfast show last', 'the session that changed last'],
      ['holdfast show 3768e8c2', 'by the beginning or end of its id'],
      ['holdfast show 3768e8c2 --at 120', 'around seq 120, as search finds it'],
      ['holdfast show last --full > transcript.txt', 'all of it, as plain text'],
    ])
  },
  async run(context, [text = ''], options) {
    const { output, world } = context
    const holdfast = await context.place()
    const session = await holdfast.sessions.open(await resolveId(holdfast, text))
    const entries = entriesOf(session, await startOf(session, options))
    if (output.wantsData) {
      await output.data(withSession(await session.view(), entries))
      return undefined
    }
    const { pager } = await context.settings()
    const width = Math.min(output.width ?? widthOfPipe, widest)
    const drawing = {
      style: output.style,
      width,
      full: options.full ?? false,
      at: options.at,
      wholeIds: !output.isTerminal,
    }
    const lines = transcript(holdfast, session, entries, drawing)
    await paged(world, output, lines, { pager: options.pager === false ? '' : pager })
    return undefined
  },
})

/** The seq after which to begin. */
async function startOf(session: PlaceSession, { tail, at }: Options): Promise<number> {
  const [limit, before] = at !== undefined ? [contextMessages, String(at)] : [tail, undefined]
  if (limit === undefined) return 0
  const { messages } = await session.messages({ limit, ...(before !== undefined && { before }) })
  return Math.max((messages[0]?.seq ?? at ?? 1) - 1, 0)
}

async function* withSession(session: Session, entries: AsyncIterable<Entry>): AsyncGenerator<unknown> {
  yield { type: 'session', session }
  yield* entries
}

async function* transcript(
  holdfast: Place,
  session: PlaceSession,
  entries: AsyncIterable<Entry>,
  options: TranscriptOptions,
): AsyncGenerator<string> {
  const view = await session.view()
  const children = (
    await holdfast.sessions.list({ parentSessionId: view.id, rootSessionId: view.rootSessionId })
  ).sessions.length
  yield* headerLines(view, await sessionName(holdfast, view), { ...options, children })
  for await (const entry of entries) yield* entryLines(entry, options)
  yield ''
}
