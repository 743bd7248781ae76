/** Reads items of the Responses API: a file is one conversation. */
import type { NewFile } from '@holdfast/core'
import type { Json, JsonObject } from '@holdfast/protocol'
import type { Turn } from '../batch.ts'
import { beginningOf } from '../beginning.ts'
import type { Destination } from '../destination.ts'
import type { ImportedSession } from '../imported-session.ts'
import { KnownPrefix } from '../known-prefix.ts'
import { LossReport } from '../loss-report.ts'
import type { Source, Value } from '../source.ts'
import { TurnBuilder } from '../turn-builder.ts'
import { writeTurns } from '../write-turns.ts'
import { isPrompt, objectOf, readItem } from './items.ts'

export const formatName = 'openai-responses'

export async function readResponses(source: Source, into: Destination): Promise<void> {
  const name = source.plainName.replace(/\.jsonl?$/, '')
  const { begin, all } = await beginningOf(source.values(), ({ value }) => itemsIn(value))
  await into.alone(into.sessionIdOf(formatName, name), async () => {
    const from = await into.named(formatName, name, begin)
    const input = {
      id: into.sessionIdOf(formatName, from.sourceId),
      agentId: formatName,
      channel: 'api' as const,
      modelPolicy: 'switchable' as const,
      metadata: { source: from },
    }
    const session = await into.openOrCreate(input, undefined)
    await writeTurns(session, turnsOf(source, all, session, into))
    into.done(session)
  })
}

async function* turnsOf(
  source: Source,
  values: AsyncIterable<Value>,
  session: ImportedSession,
  into: Destination,
): AsyncGenerator<Turn> {
  const { report } = into
  const prefix = new KnownPrefix(session, 'items')
  const builder = new TurnBuilder({
    report,
    position: () => prefix.position(),
    isSeen: () => prefix.isSeen,
    providerId: 'openai',
  })
  const context = {
    builder,
    noteKind: 'openai_responses.item',
    putImage: (file: NewFile) => session.putAttachment(file, undefined),
  }
  const unheard = new LossReport()
  for await (const item of prefix.fresh(itemsOf(source, values, report), isPrompt)) {
    const told = prefix.isSeen ? unheard : report
    const { turns, fate } = await readItem(item, undefined, { ...context, report: told })
    told.line(fate)
    yield* turns
    builder.moved()
  }
  if (prefix.isChanged) return refuse(source, into)
  yield* builder.end()
}

async function* itemsOf(
  source: Source,
  values: AsyncIterable<Value>,
  report: LossReport,
): AsyncGenerator<JsonObject> {
  for await (const { number, value, broken } of values) {
    const items = itemsIn(value)
    yield* items
    if (items.length > 0) continue
    report.line('broken')
    report.breakLine({ file: source.name, line: number, reason: broken ?? 'this is no item' })
  }
}

function refuse({ name }: Source, into: Destination): void {
  const reason = 'the conversation no longer begins as it was imported; nothing was added'
  into.refuse({ file: name, line: 1, reason })
}

function itemsIn(value: Json | undefined): JsonObject[] {
  const object = objectOf(value)
  if (!object) return []
  const lists = [object.input, object.output].filter((list) => Array.isArray(list))
  if (lists.length === 0) return [object]
  return (lists.flat() as Json[]).flatMap((item) => {
    const found = objectOf(item)
    return found ? [found] : []
  })
}
