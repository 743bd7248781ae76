/** Items of the OpenAI Responses API: an array of them, JSONL, or the `input` or `output` of an object. */
import type { Format } from '../contract.ts'
import { formatName, readResponses } from './read.ts'
import { writeResponses } from './write.ts'

const itemTypes = [
  'message',
  'reasoning',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'web_search_call',
]
const places = ['type', '[].type', 'input[].type', 'output[].type']

export const openaiResponses: Format = {
  name: formatName,
  lookedFor: '`type` of items as `message` or `function_call`, alone or in `input` or `output`',
  detect: ({ records }) =>
    records.some((shape) => places.some((place) => itemTypes.includes(shape.get(place) ?? ''))),
  read: readResponses,
  write: writeResponses,
}
