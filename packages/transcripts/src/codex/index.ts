/** Codex rollouts: JSONL of items of the Responses API, with events beside them. */
import type { Format } from '../contract.ts'
import { isBareHead } from './bare.ts'
import { lineageOf } from './meta.ts'
import { formatName, readCodex } from './read.ts'
import { writeCodex } from './write.ts'

const lineTypes = ['session_meta', 'turn_context', 'response_item', 'event_msg', 'compacted']

export const codex: Format = {
  name: formatName,
  lookedFor: '`payload` in lines of type `session_meta`, `response_item` or `event_msg`',
  detect: (head) =>
    isBareHead(head) ||
    head.records.some((line) => line.has('payload') && lineTypes.includes(line.get('type') ?? '')),
  lineageOf,
  read: readCodex,
  write: writeCodex,
}
