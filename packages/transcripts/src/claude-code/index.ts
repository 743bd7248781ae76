/** Claude Code: JSONL in which each line names its parent, sub-agents beside or inside. */
import type { Format } from '../contract.ts'
import type { Shape } from '../shape.ts'
import { agentFilesOf, ownerOf } from './agent-files.ts'
import { formatName, readClaudeCode } from './read.ts'
import { writeClaudeCode } from './write.ts'

const lineTypes = ['summary', 'queue-operation', 'file-history-snapshot']
/** Those that name their session: all that the file of one holds in which nothing was said. */
// biome-ignore format: a list of names
const sessionLineTypes = [
  'agent-name', 'ai-title', 'attribution-snapshot', 'content-replacement', 'cost-state', 'custom-title', 'last-prompt', 'mode',
  'permission-mode', 'pr-link', 'tag', 'worktree-state',
]

export const claudeCode: Format = {
  name: formatName,
  lookedFor: '`parentUuid` with `uuid` in the lines',
  detect: ({ records }) => records.some(isOurs),
  companions: agentFilesOf,
  ownerOf,
  read: readClaudeCode,
  write: writeClaudeCode,
}

function isOurs(line: Shape): boolean {
  const type = line.get('type') ?? ''
  if (lineTypes.includes(type) || (line.has('uuid') && line.has('parentUuid'))) return true
  return sessionLineTypes.includes(type) && line.has('sessionId')
}
