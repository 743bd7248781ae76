/** Claude Code: JSONL in which each line names its parent, sub-agents beside or inside. */
import type { Format } from '../contract.ts'
import { agentFilesOf, ownerOf } from './agent-files.ts'
import { formatName, readClaudeCode } from './read.ts'
import { writeClaudeCode } from './write.ts'

const lineTypes = ['summary', 'queue-operation', 'file-history-snapshot']

export const claudeCode: Format = {
  name: formatName,
  lookedFor: '`parentUuid` with `uuid` in the lines',
  detect: ({ records }) =>
    records.some(
      (line) => (line.has('uuid') && line.has('parentUuid')) || lineTypes.includes(line.get('type') ?? ''),
    ),
  companions: agentFilesOf,
  ownerOf,
  read: readClaudeCode,
  write: writeClaudeCode,
}
