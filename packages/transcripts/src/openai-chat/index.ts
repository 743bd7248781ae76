/** OpenAI chat completions: arrays of messages, alone or as `messages` or `traj` of an object, in JSON or JSONL. */
import type { Format } from '../contract.ts'
import { readOpenaiChat } from './read.ts'
import { formatName } from './session.ts'
import { writeOpenaiChat } from './write.ts'

const roles = ['system', 'developer', 'user', 'assistant', 'tool', 'function']
const places = ['role', '[].role', 'messages[].role', '[].messages[].role', 'traj[].role', '[].traj[].role']

export const openaiChat: Format = {
  name: formatName,
  lookedFor: '`role` in messages, in `messages` or in `traj`',
  detect: ({ records }) =>
    records.some(
      (shape) =>
        shape.has('[].traj') ||
        places.some(
          (place) => roles.includes(shape.get(place) ?? '') && !shape.has(place.replace('role', 'type')),
        ),
    ),
  read: readOpenaiChat,
  write: writeOpenaiChat,
}
