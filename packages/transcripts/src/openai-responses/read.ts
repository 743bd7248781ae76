/** Reads items of the Responses API: a file is one conversation. */
import type { NewFile } from '@holdfast/core'
import type { Turn } from '../batch.ts'
import { beginningOf } from '../beginning.ts'
import type { Destination } from '../destination.ts'
import type { ImportedSession } from '../imported-session.ts'
import { KnownPrefix } from '../known-prefix.ts'
import { LossReport } from '../loss-report.ts'
import type { Source, Value } from '../source.ts'
import { TurnBuilder } from '../turn-builder.ts'
import { writeTurns } from '../write-turns.ts'
import { heldIn } from './held.ts'
import { isPrompt, readItem } from './items.ts'
import { ToldItems } from './told-items.ts'

export const formatName = 'openai-responses'

export async function readResponses(source: Source, into: Destination): Promise<void> {
  const name = source.plainName.replace(/\.jsonl?$/, '')
  let madeAt: string | undefined
  const { begin, all } = await beginningOf(source.values(), ({ value }) => {
    const { instructions, items, at } = heldIn(value)
    madeAt ??= at
    return [...instructions, ...items]
  })
  await into.alone(into.sessionIdOf(formatName, name), async () => {
    const from = await into.named(formatName, name, begin)
    const input = {
      id: into.sessionIdOf(formatName, from.sourceId),
      agentId: formatName,
      channel: 'api' as const,
      modelPolicy: 'switchable' as const,
      metadata: { source: from },
    }
    const session = await into.openOrCreate(input, madeAt)
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
  const items = new ToldItems(source.name, report)
  for await (const item of prefix.fresh(items.in(values), isPrompt)) {
    const heard = prefix.isSeen ? unheard : report
    const { at, model, usage, endsAnswer, left = [] } = items.of(item) ?? {}
    for (const field of left) heard.drop(field)
    const { turns, fate } = await readItem(item, at, { ...context, report: heard })
    heard.line(fate)
    yield* turns
    builder.model = model
    if (usage) builder.usage(usage, at)
    if (endsAnswer) builder.closeReply()
    builder.moved()
  }
  if (prefix.isChanged) return refuse(source, into)
  yield* builder.end()
}

function refuse({ name }: Source, into: Destination): void {
  const reason = 'the conversation no longer begins as it was imported; nothing was added'
  into.refuse({ file: name, line: 1, reason })
}
