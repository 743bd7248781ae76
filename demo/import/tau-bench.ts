/** Imports tau-bench results: each conversation of the file becomes a session. */
import { basename } from 'node:path'
import type { Holdfast } from '@holdfast/core'
import { isHoldfastError, type Json, type JsonObject, scanText } from '@holdfast/protocol'
import { commitsOf } from './commits.ts'
import { ImportResult } from './import-result.ts'
import { readItems } from './read-items.ts'
import { sessionIdOf } from './session-id.ts'
import { type Conversation, isConversation, positionAfter, turnsOf } from './tau-bench/conversation.ts'
import { ImportedSession, type NewSession } from './write.ts'

const format = 'tau-bench'

/** Importing a file again appends the messages that are new in it. */
export async function importTauBench(holdfast: Holdfast, path: string): Promise<ImportResult> {
  const result = new ImportResult()
  const file = basename(path)
  let number = 0
  for await (const text of readItems(path)) {
    number += 1
    const item = parse(text)
    if (isConversation(item)) await importConversation(holdfast, file, item, result)
    else result.report.breakLine({ file, line: number, reason: 'this item is no conversation' })
  }
  return result
}

function parse(text: string): Json | undefined {
  try {
    return scanText(text, 'commitBytes', 'conversation')
  } catch (error) {
    if (isHoldfastError(error)) return undefined
    throw error
  }
}

async function importConversation(
  holdfast: Holdfast,
  file: string,
  conversation: Conversation,
  result: ImportResult,
): Promise<void> {
  const { report, sessions } = result
  const input = sessionOf(holdfast, file, conversation)
  const existing = await ImportedSession.open(holdfast, input.id)
  const session = existing ?? (await ImportedSession.create(holdfast, input, undefined))
  const after = readSoFar(conversation, session.position)
  if (after === undefined) {
    const reason = `conversation ${sourceIdOf(file, conversation)} no longer begins as it was imported; nothing was added`
    report.breakLine({ file, line: 1, reason })
  } else {
    for (const turn of turnsOf(conversation, after, report)) {
      for (const batch of commitsOf(turn)) await session.write(batch)
    }
  }
  sessions.push({ sessionId: session.id, isNew: !existing, events: session.events })
}

/** Messages of an earlier import; undefined when they are others now. */
function readSoFar(conversation: Conversation, position: JsonObject | undefined): number | undefined {
  if (!position) return 0
  const messages = Number(position.messages)
  return positionAfter(conversation, messages).sha256 === position.sha256 ? messages : undefined
}

function sourceIdOf(file: string, { task_id, trial }: Conversation): string {
  return `${file.replace(/\.json$/, '')}/${task_id}/${trial}`
}

/** The file's name says the model and the field of work, as in `gpt-4o-airline.json`; the file itself does not. */
function sessionOf(holdfast: Holdfast, file: string, conversation: Conversation): NewSession {
  const { task_id: taskId, trial, reward, info } = conversation
  const sourceId = sourceIdOf(file, conversation)
  const [, model, field] = /^(.+)-(\w+)\.json$/.exec(file) ?? []
  const userId = info?.task?.user_id
  const metadata: JsonObject = {
    source: { format, sourceId },
    taskId,
    trial,
    ...(reward !== undefined && { reward }),
    // What the simulated user cost, not what the session cost.
    ...(info?.user_cost !== undefined && { simulatedUserCostUsd: info.user_cost }),
  }
  return {
    id: sessionIdOf(holdfast.tenantId, format, sourceId),
    agentId: field === undefined ? format : `${format} ${field}`,
    channel: 'other',
    metadata,
    ...(model !== undefined && { model }),
    ...(userId !== undefined && { ownerUserId: userId }),
  }
}
