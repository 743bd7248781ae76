/** Results of calls as items. */
import type { Json, JsonObject, ToolResultPart } from '@holdfast/protocol'
import type { ExportedSession } from '../contract.ts'
import type { LossReport } from '../loss-report.ts'
import { isName, objectOf } from './json.ts'
import { outcomeOf } from './outcome.ts'
import { type PutImage, withReferences, withTexts } from './references.ts'

export function isResult({ type }: JsonObject): boolean {
  return typeof type === 'string' && (type.endsWith('_call_output') || type === 'tool_search_output')
}

/** Undefined: it names no call. */
export async function resultOf(item: JsonObject, putImage: PutImage) {
  const field = fieldOf(item.type)
  const isByItem = item.type === 'local_shell_call_output' && !isName(item.call_id)
  const idField = isByItem ? 'id' : 'call_id'
  const { [idField]: callId, [field]: output = null, ...rest } = item
  if (!isName(callId)) return undefined
  const kept = await withReferences(output, putImage)
  return { callId, output: kept, outcome: outcomeOf(item), provider: { item: rest } }
}

export async function resultItem(
  part: ToolResultPart,
  session: ExportedSession,
  report: LossReport,
): Promise<JsonObject> {
  const { callId, output, provider } = part
  const item = objectOf(provider?.item)
  const { type = 'function_call_output', ...rest } = item ?? {}
  const isByItem = type === 'local_shell_call_output' && !('id' in rest)
  const named = isByItem ? { id: callId } : { call_id: callId }
  const written = item ? await withTexts(output, session) : foreign(output, report)
  return { type, ...rest, ...named, [fieldOf(type)]: written }
}

function fieldOf(type: Json | undefined): 'output' | 'tools' {
  return type === 'tool_search_output' ? 'tools' : 'output'
}

/** The API takes text, or a list. */
function foreign(output: Json, report: LossReport): Json {
  if (typeof output === 'string' || Array.isArray(output)) return output
  report.repair('tool outputs written as JSON text')
  return JSON.stringify(output)
}
