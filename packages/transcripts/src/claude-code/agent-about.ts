/** What the program tells of a sub-agent in a file beside its own: `agent-<id>.meta.json`. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import type { Json, JsonObject } from '@holdfast/protocol'
import { readText } from '../read-lines.ts'
import { objectOf, textOf } from './entry.ts'

export interface AgentAbout {
  agentType: string | undefined
  /** What it was to do, in some words. */
  description: string | undefined
  /** The call that it was started with. */
  callId: string | undefined
  /** The sub-agent that made that call; undefined: the session itself, or nobody knows. */
  parentId: string | undefined
  /** Below the session: 1 for its own. */
  depth: number
  /** What else is short, for the metadata of the session. */
  facts: JsonObject
}

/** `path`: of the sub-agent's own file. Undefined: there is no such file, or it holds something else. */
export function aboutAgent(path: string): AgentAbout | undefined {
  const told = objectIn(path.replace(/\.jsonl$/, '.meta.json'))
  if (!told) return undefined
  const { agentType, description, toolUseId, parentAgentId, spawnDepth } = told
  const { name, model, isFork, worktreePath, worktreeBranch } = told
  const facts = { agentName: name, agentModel: model, isFork, worktreePath, worktreeBranch }
  return {
    agentType: textOf(agentType),
    description: textOf(description)?.trim() || undefined,
    callId: textOf(toolUseId),
    parentId: textOf(parentAgentId),
    depth: typeof spawnDepth === 'number' ? spawnDepth : 1,
    facts: shortOf(facts),
  }
}

const mostUnits = 512

function shortOf(facts: Readonly<Record<string, Json | undefined>>): JsonObject {
  const short = Object.entries(facts).flatMap(([name, fact]) => {
    const isShort = typeof fact === 'boolean' || (typeof fact === 'string' && fact.length <= mostUnits)
    return isShort ? [[name, fact] as const] : []
  })
  return Object.fromEntries(short)
}

const mostBytes = 64 * 1024

function objectIn(path: string): JsonObject | undefined {
  try {
    const isSmall = existsSync(path) && statSync(path).isFile() && statSync(path).size <= mostBytes
    return isSmall ? objectOf(readText(readFileSync(path, 'utf8')).value) : undefined
  } catch (error) {
    // It is gone meanwhile, or may not be read: the sub-agent is known by its own file all the same.
    if ((error as NodeJS.ErrnoException).code !== undefined) return undefined
    throw error
  }
}
