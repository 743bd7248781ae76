/** Calls as items. One of a tool of the API's own has no name but its type, and its input in a field of its own. */
import type { Json, JsonObject, MessagePart } from '@holdfast/protocol'
import { isName, objectOf, parsed } from './json.ts'

type Call = MessagePart & { type: 'tool_call' }

/** A second field is for several of what the first has one of. */
const inputFields: ReadonlyMap<Json, readonly [string, string?]> = new Map([
  ['local_shell_call', ['action']],
  ['shell_call', ['action']],
  ['apply_patch_call', ['operation']],
  ['computer_call', ['action', 'actions']],
  ['tool_search_call', ['arguments']],
])

/** Undefined: the item is no call that can be answered. */
export function callPartOf(item: JsonObject): Call | undefined {
  const { type = '', name, call_id, ...rest } = item
  const fields = inputFields.get(type)
  if (fields) return ownCall(item, fields)
  if (type === 'custom_tool_call') {
    const { input = null, ...beside } = rest
    return callPart(name, call_id, input, { item: { type, ...beside } })
  }
  const { arguments: text, ...beside } = rest
  if (type !== 'function_call' || typeof text !== 'string') return undefined
  const input = parsed(text)
  const isExact = input !== undefined && JSON.stringify(input) === text
  const provider = { item: { type, ...beside }, ...(!isExact && { arguments: text }) }
  return callPart(name, call_id, input ?? text, provider)
}

/** A local shell is answered by the id of its item where it gives none of the call. */
function ownCall(item: JsonObject, [one, several]: readonly [string, string?]): Call | undefined {
  const field = several !== undefined && Array.isArray(item[several]) ? several : one
  const { call_id: callId = null, [field]: input = null, ...rest } = item
  const name = String(item.type).replace(/_call$/, '')
  if (callId !== null || item.type !== 'local_shell_call')
    return callPart(name, callId, input, { item: rest })
  return callPart(name, item.id, input, { item: { ...rest, call_id: null } })
}

function callPart(
  name: Json | undefined,
  callId: Json | undefined,
  input: Json,
  provider: JsonObject,
): Call | undefined {
  if (!isName(name) || !isName(callId)) return undefined
  return { type: 'tool_call', callId, name, input, provider }
}

export function callItem({ callId, name, input, provider }: Call): JsonObject {
  const { type = 'function_call', ...rest } = objectOf(provider?.item) ?? {}
  const [one, several] = inputFields.get(type) ?? []
  if (one !== undefined) {
    const field = several !== undefined && Array.isArray(input) ? several : one
    const named = rest.call_id === null ? { id: callId } : { call_id: callId }
    return { type, ...rest, ...named, [field]: input }
  }
  if (type === 'custom_tool_call') return { type, ...rest, call_id: callId, name, input }
  const exact = provider?.arguments
  const text = typeof exact === 'string' ? exact : JSON.stringify(input)
  return { type, ...rest, name, arguments: text, call_id: callId }
}
