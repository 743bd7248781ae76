/** Reads items of the Responses API: a file is one conversation. */
import type { NewFile } from '@holdfast/core'
import type { JsonObject } from '@holdfast/protocol'
import type { Turn } from '../batch.ts'
import { Beginning, beginningOf } from '../beginning.ts'
import type { Destination, SourceName } from '../destination.ts'
import type { ImportedSession } from '../imported-session.ts'
import { KnownPrefix } from '../known-prefix.ts'
import { LossReport } from '../loss-report.ts'
import type { Source, Value } from '../source.ts'
import { TurnBuilder } from '../turn-builder.ts'
import { writeTurns } from '../write-turns.ts'
import { heldIn, itemsAsBefore } from './held.ts'
import { isPrompt, readItem } from './items.ts'
import { ToldItems } from './told-items.ts'

export const formatName = 'openai-responses'

export async function readResponses(source: Source, into: Destination): Promise<void> {
  const name = source.plainName.replace(/\.jsonl?$/, '')
  let madeAt: string | undefined
  const before = new Beginning()
  const { begin, all } = await beginningOf(source.values(), ({ value }) => {
    const { instructions, items, at } = heldIn(value)
    madeAt ??= at
    for (const item of itemsAsBefore(value)) before.take(item)
    return [...instructions, ...items]
  })
  await into.alone(into.sessionIdOf(formatName, name), async () => {
    const from = await namedIn(into, name, begin, before.sha256)
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

/** An earlier version noted another beginning (`before`) of what had instructions: its sessions go on. */
async function namedIn(
  into: Destination,
  name: string,
  begin: string | undefined,
  before: string | undefined,
): Promise<SourceName> {
  const idOf = ({ sourceId }: SourceName) => into.sessionIdOf(formatName, sourceId)
  const from = await into.named(formatName, name, begin)
  if (before === undefined || before === begin || (await into.has(idOf(from)))) return from
  const asBefore = await into.named(formatName, name, before)
  const known = await into.open(idOf(asBefore))
  return countBefore(known?.position) > 0 ? asBefore : from
}

/** How many items an earlier version imported: its positions do not say that they are of it. */
function countBefore(position: JsonObject | undefined): number {
  return Number(position?.before ?? position?.items ?? 0)
}

async function* turnsOf(
  source: Source,
  values: AsyncIterable<Value>,
  session: ImportedSession,
  into: Destination,
): AsyncGenerator<Turn> {
  const { report } = into
  const prefix = new KnownPrefix(session, 'items')
  const before = countBefore(session.position)
  const builder = new TurnBuilder({
    report,
    position: () => ({ ...prefix.position(), before }),
    isSeen: () => prefix.isSeen,
    providerId: 'openai',
  })
  const context = {
    builder,
    noteKind: 'openai_responses.item',
    putImage: (file: NewFile) => session.putAttachment(file, undefined),
  }
  const unheard = new LossReport()
  const items = new ToldItems(source.name, report, before)
  for await (const item of prefix.fresh(items.in(values), isPrompt)) {
    const heard = prefix.isSeen ? unheard : report
    const { at, model, usage, isUsual, endsAnswer, left = [] } = items.of(item) ?? {}
    for (const field of left) heard.drop(field)
    const { turns, fate, isAnswer } = await readItem(item, at, { ...context, report: heard })
    heard.line(fate)
    yield* turns
    // What the next response begins with may still be read into the turn of the one before.
    if (isAnswer) builder.model = model
    if (usage) builder.usage(usage, at, isUsual)
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
