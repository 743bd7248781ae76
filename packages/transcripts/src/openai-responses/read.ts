/** Reads items of the Responses API: a file is one conversation. */
import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '@holdfast/protocol'
import type { Turn } from '../batch.ts'
import { beginningOf } from '../beginning.ts'
import type { Destination } from '../destination.ts'
import type { ImportedSession } from '../imported-session.ts'
import type { Source, Value } from '../source.ts'
import { TurnBuilder } from '../turn-builder.ts'
import { writeTurns } from '../write-turns.ts'
import { objectOf, readItem } from './items.ts'

export const formatName = 'openai-responses'

export async function readResponses(source: Source, into: Destination): Promise<void> {
  const name = source.name.replace(/\.jsonl?$/, '')
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
  const hash = createHash('sha256')
  let items = 0
  const position = (): JsonObject => ({ items, sha256: hash.copy().digest('hex') })
  const builder = new TurnBuilder({ report, position, providerId: 'openai' })
  const context = {
    builder,
    report,
    noteKind: 'openai_responses.item',
    putImage: (file: Parameters<ImportedSession['putAttachment']>[0]) =>
      session.putAttachment(file, undefined),
  }
  const before = session.position
  const seen = Number(before?.items ?? 0)
  for await (const { number, value, broken } of values) {
    for (const item of itemsIn(value)) {
      hash.update(`${JSON.stringify(item)}\n`)
      items += 1
      if (items < seen) continue
      if (items === seen) {
        if (position().sha256 === before?.sha256) continue
        return refuse(source, into)
      }
      const { turns, fate } = await readItem(item, undefined, context)
      report.line(fate)
      yield* turns
      builder.moved()
    }
    if (itemsIn(value).length > 0) continue
    report.line('broken')
    report.breakLine({ file: source.name, line: number, reason: broken ?? 'this is no item' })
  }
  if (items < seen) return refuse(source, into)
  yield* builder.finish()
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
