/** Items of the OpenAI Responses API: an array of them, JSONL, the `input` or `output` of objects, or a list's `data`. */
import type { Format } from '../contract.ts'
import type { Shape } from '../shape.ts'
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
const places = ['', 'input[].', 'output[].', '[].', '[].input[].', '[].output[].'].map(
  (place) => `${place}type`,
)

function placesIn(shape: Shape): string[] {
  return shape.get('object') === 'list' ? [...places, 'data[].type'] : places
}

export const openaiResponses: Format = {
  name: formatName,
  lookedFor: '`type` of items as `message` or `function_call`, alone or in `input`, `output` or a list',
  detect: ({ records }) =>
    records.some((shape) => placesIn(shape).some((place) => itemTypes.includes(shape.get(place) ?? ''))),
  read: readResponses,
  write: writeResponses,
}
