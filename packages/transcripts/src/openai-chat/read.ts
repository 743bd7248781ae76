/** Reads OpenAI chat conversations. The format has no times and no usage: what is not known stays unknown. */
import type { Json, JsonObject } from '@holdfast/protocol'
import type { Turn } from '../batch.ts'
import { Beginning, beginningOf } from '../beginning.ts'
import { DeletedSession, deletedSessions } from '../deleted-session.ts'
import type { Destination } from '../destination.ts'
import type { ImportedSession } from '../imported-session.ts'
import { KnownPrefix } from '../known-prefix.ts'
import { LossReport } from '../loss-report.ts'
import type { Source, Value } from '../source.ts'
import { TurnBuilder } from '../turn-builder.ts'
import { writeTurns } from '../write-turns.ts'
import { type Keep, readMessage } from './messages.ts'
import {
  type Conversation,
  conversationOf,
  formatName,
  isObject,
  leftOut,
  nameIn,
  sessionOf,
} from './session.ts'

/** Again with more messages in a conversation: appends those that are new. */
export async function readOpenaiChat(source: Source, into: Destination): Promise<void> {
  const values = source.values()
  const first = await values.next()
  if (first.done) return
  const all = from(first.value, values)
  if (isMessage(first.value.value)) return readLoose(source, all, into)
  for await (const { number, value, broken } of all) {
    const conversation = conversationOf(value)
    into.report.line(conversation ? 'carried' : 'broken')
    if (conversation)
      await readConversation(source, conversation, number, into).catch((error) => leaveDeleted(error, into))
    else
      into.report.breakLine({ file: source.name, line: number, reason: broken ?? 'this is no conversation' })
  }
}

/** The conversations beside it go on. */
function leaveDeleted(error: unknown, { report }: Destination): void {
  if (!(error instanceof DeletedSession)) throw error
  report.drop(deletedSessions)
}

async function* from(first: Value, rest: AsyncIterable<Value>): AsyncGenerator<Value> {
  yield first
  yield* rest
}

function isMessage(value: Json | undefined): value is JsonObject {
  return isObject(value) && typeof value.role === 'string'
}

async function readConversation(
  source: Source,
  { messages, about }: Conversation,
  number: number,
  into: Destination,
): Promise<void> {
  for (const field of leftOut(about)) into.report.drop(field)
  const { name, isItsOwn } = nameIn(source.plainName, about, number)
  const begin = isItsOwn ? undefined : Beginning.of(messages).sha256
  await readInto(source, { name, begin, about, number }, messages, into)
}

/** The file itself is the conversation. */
async function readLoose(source: Source, values: AsyncIterator<Value>, into: Destination): Promise<void> {
  const name = source.plainName.replace(/\.jsonl?$/, '')
  const { begin, all } = await beginningOf(values, ({ value }) => (isMessage(value) ? [value] : []))
  async function* messages(): AsyncGenerator<Json> {
    for await (const { number, value, broken } of all) {
      into.report.line(isMessage(value) ? 'carried' : 'broken')
      if (isMessage(value)) yield value
      else into.report.breakLine({ file: source.name, line: number, reason: broken ?? 'this is no message' })
    }
  }
  await readInto(source, { name, begin, about: {}, number: 1 }, messages(), into)
}

/** What is known of a conversation before its messages are read. */
interface Known {
  name: string
  begin: string | undefined
  about: JsonObject
  /** Its place in the file. */
  number: number
}

function readInto(
  source: Source,
  { name, begin, about, number }: Known,
  messages: Iterable<Json> | AsyncIterable<Json>,
  into: Destination,
): Promise<void> {
  return into.alone(into.sessionIdOf(formatName, name), async () => {
    const from = await into.named(formatName, name, begin)
    const session = await into.openOrCreate(sessionOf(into, source.plainName, from, about), undefined)
    const refuse = (reason: string) => into.refuse({ file: source.name, line: number, reason })
    await writeTurns(session, turnsOf(messages, session, into.report, refuse))
    into.done(session)
  })
}

async function* turnsOf(
  messages: Iterable<Json> | AsyncIterable<Json>,
  session: ImportedSession,
  report: LossReport,
  refuse: (reason: string) => void,
): AsyncGenerator<Turn> {
  const prefix = new KnownPrefix(session, 'messages')
  const builder = new TurnBuilder({ report, position: () => prefix.position(), isSeen: () => prefix.isSeen })
  const unheard = new LossReport()
  const putImage: Keep['putImage'] = (file) => session.putAttachment(file, undefined)
  for await (const message of prefix.fresh(messages, isPrompt)) {
    yield* await readMessage(message, builder, { report: prefix.isSeen ? unheard : report, putImage })
    builder.moved()
  }
  if (prefix.isChanged) refuse(changed)
  else yield* builder.end()
}

function isPrompt(message: Json): boolean {
  return isObject(message) && message.role === 'user'
}

const changed = 'the conversation no longer begins as it was imported; nothing was added'
