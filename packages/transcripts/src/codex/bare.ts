/**
 * Rollouts to early September 2025: the first line is the meta itself, and what follows are items without a time, and lines
 * that tell of a state. They are read as what later versions write.
 */
import { isTime, type JsonObject } from '@holdfast/protocol'
import type { Head } from '../head.ts'
import { isName, objectOf } from '../openai-responses/items.ts'
import type { Line } from '../read-lines.ts'

export function isBareHead({ layout, records: { first } }: Head): boolean {
  const has = (field: string) => first?.has(field) === true
  return layout === 'lines' && metaFields.every(has) && !has('type') && !has('payload')
}

export function isBareMeta(value: JsonObject): boolean {
  const { id, timestamp, type, payload, instructions } = value
  const isUntyped = type === undefined && payload === undefined && instructions !== undefined
  return isUntyped && isName(id) && isTime(timestamp)
}

const metaFields = ['id', 'timestamp', 'instructions']

/** All that a bare rollout says has the time at which it began. */
export async function* asItems(lines: AsyncIterable<Line>, timestamp: string): AsyncGenerator<Line> {
  for await (const line of lines) {
    const { value } = line
    const isItem = value?.type !== undefined && value.payload === undefined
    yield isItem ? { ...line, value: { timestamp, type: 'response_item', payload: value } } : line
  }
}

/** It says nothing that is not in the items. */
export function isState(value: JsonObject): boolean {
  return value.record_type !== undefined
}

const place = /^\s*<environment_context>[\s\S]*?<cwd>([^<]+)<\/cwd>/

/** Where the agent worked, if the item tells the model. */
export function cwdIn({ content }: JsonObject): string | undefined {
  const text = Array.isArray(content) ? objectOf(content[0])?.text : undefined
  return typeof text === 'string' ? place.exec(text)?.[1] : undefined
}
