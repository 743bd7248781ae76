/** Writes a session as the items that a response takes as its `input`, one JSON array. */
import { type EventData, isKnown, type JsonObject, type Message, type SessionEvent } from '@holdfast/protocol'
import type { ExportedSession, Sink } from '../contract.ts'
import { dropNote } from '../drop-note.ts'
import type { LossReport } from '../loss-report.ts'
import { PairedCalls } from '../paired-calls.ts'
import { walk } from '../walk.ts'
import { objectOf } from './json.ts'
import { callIds, isOfItems, itemsOf } from './write-items.ts'

export async function writeResponses(
  session: ExportedSession,
  sink: Sink,
  report: LossReport,
): Promise<void> {
  await sink.write('[')
  const writer = new ItemsWriter(session, sink, report, await isOfItems(session))
  const calls = new PairedCalls(callIds, report)
  for await (const { message, event } of walk(session)) {
    if (message) for (const each of calls.next(message)) await writer.message(each)
    else await writer.event(event)
  }
  for (const each of calls.end()) await writer.message(each)
  await sink.write('\n]\n')
}

class ItemsWriter {
  readonly #session: ExportedSession
  readonly #sink: Sink
  readonly #report: LossReport
  readonly #isOurs: boolean
  #isFirst = true

  constructor(session: ExportedSession, sink: Sink, report: LossReport, isOurs: boolean) {
    this.#session = session
    this.#sink = sink
    this.#report = report
    this.#isOurs = isOurs
  }

  async message(message: Message): Promise<void> {
    const items = await itemsOf(message, this.#session, this.#report, this.#isOurs)
    this.#report.line(items.length > 0 ? 'carried' : 'dropped')
    for (const item of items) await this.#write(item)
  }

  async event(event: SessionEvent): Promise<void> {
    if (isKnown(event, 'note.added')) await this.#note(event.data)
    else if (isKnown(event, 'child.spawned')) this.#report.drop('children, each a file of its own')
  }

  /** An item that was kept whole goes back where it stood, but for a result of no call and a response, which is no item. */
  async #note({ kind, data }: EventData<'note.added'>): Promise<void> {
    const kept = kind === 'openai_responses.item' ? objectOf(data) : undefined
    if (!kept || kept.object === 'response' || String(kept.type).endsWith('_output'))
      return dropNote(this.#report, kind)
    this.#report.line('opaque')
    await this.#write(kept)
  }

  async #write(item: JsonObject): Promise<void> {
    await this.#sink.write(`${this.#isFirst ? '\n' : ',\n'}${JSON.stringify(item)}`)
    this.#isFirst = false
  }
}
