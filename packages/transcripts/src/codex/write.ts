/** Writes a session as a Codex rollout: `codex resume` goes on with it. */
import { isKnown, type Json, type JsonObject, type SessionEvent, type UsageRecord } from '@holdfast/protocol'
import type { ExportedSession, Sink } from '../contract.ts'
import type { LossReport } from '../loss-report.ts'
import { objectOf } from '../openai-responses/items.ts'
import { itemsOf } from '../openai-responses/write-items.ts'
import { walk } from '../walk.ts'

export async function writeCodex(session: ExportedSession, sink: Sink, report: LossReport): Promise<void> {
  const totals = { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0, reasoning_output_tokens: 0 }
  let hasMeta = false
  const write = (line: Json) => sink.write(`${JSON.stringify(line)}\n`)
  for await (const { message, event } of walk(session)) {
    const kept = keptLine(event)
    if (!hasMeta && (message || kept)) {
      if (kept?.type !== 'session_meta') await write(await metaOf(session, event.at))
      hasMeta = true
    }
    if (kept) await write(kept)
    else if (message) {
      const items = await itemsOf(message, session, report)
      report.line(items.length > 0 ? 'carried' : 'dropped')
      for (const payload of items) await write({ timestamp: event.at, type: 'response_item', payload })
    } else if (isKnown(event, 'usage.recorded')) await write(tokenCount(event.at, event.data, totals))
    else if (isKnown(event, 'compaction.applied')) {
      const payload = { message: event.data.summary }
      await write({ timestamp: event.at, type: 'compacted', payload })
    } else if (isKnown(event, 'note.added') && !event.data.kind.startsWith('import.'))
      report.drop(`notes of kind ${event.data.kind}`)
  }
  if (!hasMeta) await write(await metaOf(session, (await session.view()).createdAt))
}

function keptLine(event: SessionEvent): JsonObject | undefined {
  if (!isKnown(event, 'note.added')) return undefined
  const { kind, data } = event.data
  if (kind === 'codex.line') return objectOf(data)
  if (kind !== 'codex.response_item' || data === undefined) return undefined
  return { timestamp: event.at, type: 'response_item', payload: data }
}

async function metaOf(session: ExportedSession, at: string): Promise<JsonObject> {
  const { id, metadata, createdAt, providerId } = await session.view()
  const payload = {
    id,
    timestamp: createdAt,
    cwd: typeof metadata?.cwd === 'string' ? metadata.cwd : '/',
    originator: 'holdfast',
    cli_version: '0.0.0',
    source: 'cli',
    model_provider: providerId ?? 'openai',
  }
  return { timestamp: at, type: 'session_meta', payload }
}

function tokenCount(at: string, usage: UsageRecord, totals: Record<string, number>): JsonObject {
  const call: Record<string, number> = {
    input_tokens: usage.promptTokens,
    cached_input_tokens: usage.cachedReadTokens,
    output_tokens: usage.completionTokens,
    reasoning_output_tokens: usage.reasoningTokens,
  }
  for (const [field, count] of Object.entries(call)) totals[field] = (totals[field] ?? 0) + count
  const withTotal = (counts: Record<string, number>): JsonObject => {
    return { ...counts, total_tokens: (counts.input_tokens ?? 0) + (counts.output_tokens ?? 0) }
  }
  const info = { total_token_usage: withTotal(totals), last_token_usage: withTotal(call) }
  return { timestamp: at, type: 'event_msg', payload: { type: 'token_count', info, rate_limits: null } }
}
