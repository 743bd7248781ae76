/** What a value of a file holds: an item, or several with what is told of them. */
import { isTime, type Json, type JsonObject, type UsageRecord } from '@holdfast/protocol'
import { isName, objectOf } from './json.ts'
import { isUsualTier, usageOf } from './usage.ts'

export interface Held {
  /** What the model was told before all items, as items. */
  instructions: JsonObject[]
  items: JsonObject[]
  at?: string | undefined
  model?: string | undefined
  /** Of the call that gave the last of the items. */
  usage?: UsageRecord | undefined
  /** The list price holds for that call. */
  isUsual: boolean
  /** A model gave the last of the items: it says nothing more in that answer. */
  isAnswer: boolean
  /** What has no place in a session. */
  left: string[]
}

export function heldIn(value: Json | undefined): Held {
  const object = objectOf(value)
  if (!object) return just([])
  const holder = isItem(object) ? undefined : holderIn(object)
  return holder ?? just([object])
}

/** As an earlier version found them: what a session has of that time is counted so. */
export function itemsAsBefore(value: Json | undefined): JsonObject[] {
  const object = objectOf(value)
  if (!object) return []
  const lists = [object.input, object.output].filter((list) => Array.isArray(list))
  return lists.length === 0 ? [object] : lists.flat().flatMap(itemIn)
}

function just(items: JsonObject[]): Held {
  return { instructions: [], items, isUsual: true, isAnswer: false, left: [] }
}

/** A result has an `output` too, which is no list of items. */
function isItem({ type, role }: JsonObject): boolean {
  return typeof type === 'string' || typeof role === 'string'
}

/** A response, what is sent to get one, or a page of items. */
function holderIn(object: JsonObject): Held | undefined {
  const { object: kind, data, input, output } = object
  if (kind === 'list' && Array.isArray(data))
    return { ...just(data.flatMap(itemIn)), left: leftIn(object, 'list', ['data']) }
  if (![input, output].some((list) => Array.isArray(list)) && typeof input !== 'string') return undefined
  return responseIn(object)
}

/** One that gave nothing but cost something stands for itself: it tells why. */
function responseIn(response: JsonObject): Held {
  const { instructions, input, output, model, created_at, status } = response
  const usage = usageOf(response)
  const isDone = status === 'completed'
  const items = [...itemsIn(input, 'user'), ...itemsIn(output, 'assistant')]
  const isKeptWhole = usage !== undefined && items.length === 0
  const carried = [...fields, ...(usage ? ['usage'] : []), ...(isDone ? ['status'] : [])]
  return {
    instructions: itemsIn(instructions, 'system'),
    items: isKeptWhole ? [response] : items,
    at: timeOf(created_at),
    model: isName(model) ? model : undefined,
    usage,
    isUsual: isUsualTier(response.service_tier),
    isAnswer: Array.isArray(output) && output.length > 0,
    left: isKeptWhole ? [] : leftIn(response, 'response', carried),
  }
}

const fields = ['id', 'instructions', 'input', 'output', 'model', 'created_at']

/** Words alone are those of who says them there. */
function itemsIn(said: Json | undefined, role: string): JsonObject[] {
  if (typeof said === 'string') return said === '' ? [] : [{ type: 'message', role, content: said }]
  return Array.isArray(said) ? said.flatMap(itemIn) : []
}

function itemIn(value: Json): JsonObject[] {
  const item = objectOf(value)
  return item ? [item] : []
}

function leftIn(holder: JsonObject, name: string, carried: readonly string[]): string[] {
  const left = Object.entries(holder).filter(([field, value]) => value !== null && !carried.includes(field))
  return left.flatMap(([field]) => (field === 'object' ? [] : [`${name}.${field}`]))
}

function timeOf(seconds: Json | undefined): string | undefined {
  const time = new Date(typeof seconds === 'number' ? seconds * 1_000 : Number.NaN)
  const text = Number.isNaN(time.getTime()) ? undefined : time.toISOString()
  return isTime(text) ? text : undefined
}
