/** `holdfast follow`: a session as it is written, by whichever process writes it. */
import type { Followed, FollowedDraft } from '@holdfast/core'
import type { Message, SessionEvent } from '@holdfast/protocol'
import { command, examples } from '../command.ts'
import type { Context, Ended } from '../context.ts'
import type { PlaceSession } from '../place/place.ts'
import { resolveId } from '../sessions/resolve-id.ts'
import { sessionName } from '../sessions/session-name.ts'
import { plainText } from '../terminal/plain.ts'
import { eventMessage } from '../transcript/event-message.ts'
import { followedText } from '../transcript/followed-text.ts'
import { Marks } from '../transcript/marks.ts'
import { entryLines, type TranscriptOptions } from '../transcript/transcript-lines.ts'
import { positiveNumber } from '../values.ts'

interface Options {
  tail: number
  after?: string
  full?: true
}

const widest = 110
const widthOfPipe = 100

export const followCommand = command<Options>({
  define(command) {
    command
      .option('--tail <count>', 'begin with so many of the last events', positiveNumber, 20)
      .option('--after <cursor>', 'begin after this cursor; 0 for the first event')
      .option('--full', 'tool calls and reasoning whole, not folded to a line')
    examples(command, [
      ['holdfast follow last', 'the session that changed last, until Ctrl-C'],
      ['holdfast follow 3768e8c2 --after 0 --jsonl', 'every event and what comes, for a program'],
    ])
  },
  async run(context, [text = ''], options) {
    const { output } = context
    const holdfast = await context.place()
    const session = await holdfast.sessions.open(await resolveId(holdfast, text))
    const view = await session.view()
    const signal = context.interruption()
    const after = options.after ?? String(Math.max(view.seq - options.tail, 0))
    const items = session.follow({ after, signal })
    if (output.wantsData) return followData(context, items)
    await output.aside(`Following ${await sessionName(holdfast, view)} (Ctrl-C ends it)`)
    const width = Math.min(output.width ?? widthOfPipe, widest)
    const drawing = { style: output.style, width, full: options.full ?? false, wholeIds: !output.isTerminal }
    return followLines(context, session, items, drawing)
  },
})

/** A stream has no end to close a document with, so both formats are lines. */
async function followData({ output }: Context, items: AsyncIterable<Followed>): Promise<Ended> {
  for await (const item of items) await output.text(followedText(item))
  return undefined
}

async function followLines(
  { output }: Context,
  session: PlaceSession,
  items: AsyncIterable<Followed>,
  drawing: TranscriptOptions,
): Promise<Ended> {
  const marks = new Marks()
  const draft = new DraftText()
  for await (const item of items) {
    if (item.type === 'event') {
      await output.text(draft.end())
      await output.lines(eventLines(item.event, marks, drawing))
    } else if (item.type === 'draft') await output.text(drawing.style.faint(draft.text(item)))
    else await output.text(drawing.style.warn(`${draft.end()}  — another attempt at ${session.id}\n`))
  }
  return undefined
}

function eventLines(event: SessionEvent, marks: Marks, drawing: TranscriptOptions): string[] {
  const message: Message | undefined = eventMessage(event)
  const spoken = message ? entryLines({ type: 'message', message, results: {} }, drawing) : []
  return [...spoken, ...marks.of(event).flatMap((mark) => entryLines(mark, drawing))]
}

/** Text of the message in the making, indented as it grows. */
class DraftText {
  #isOpen = false

  text({ draft }: FollowedDraft): string {
    const start = this.#isOpen ? '' : '\n  '
    this.#isOpen = true
    return start + plainText(draft.text).replaceAll('\n', '\n  ')
  }

  end(): string {
    const end = this.#isOpen ? '\n' : ''
    this.#isOpen = false
    return end
  }
}
