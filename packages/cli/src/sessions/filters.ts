/** The filters of a list of sessions as options: the same ones wherever sessions are chosen. */
import type { SessionFilters } from '@holdfast/core'
import {
  channel,
  HoldfastError,
  lineage,
  purpose,
  type SessionStatus,
  sessionStatus,
} from '@holdfast/protocol'
import { type Command, InvalidArgumentError } from 'commander'
import { choice, choices, since } from '../values.ts'

export interface FilterOptions {
  agent?: string
  user?: string
  model?: string
  provider?: string
  status?: SessionStatus[]
  purpose?: NonNullable<SessionFilters['purpose']>
  channel?: NonNullable<SessionFilters['channel']>
  lineage?: NonNullable<SessionFilters['lineage']>
  conversation?: string
  thread?: string
  root?: string
  parent?: string
  since?: string
  pinned?: true
  held?: true
  question?: true
}

export function addFilters(command: Command): void {
  command
    .optionsGroup('Filters:')
    .option('--agent <id>', 'of this agent')
    .option('--user <id>', 'owned by this user')
    .option('--model <model>', 'bound to this model')
    .option('--provider <id>', 'bound to this provider')
    .addOption(choices('--status <status>', 'in this status; several with commas', sessionStatus.options))
    .addOption(choice('--purpose <purpose>', 'what it is for', purpose.options))
    .addOption(choice('--channel <channel>', 'where it was held', channel.options))
    .addOption(choice('--lineage <lineage>', 'roots or children only', lineage.options))
    .option('--conversation <id>', 'of this conversation')
    .option('--thread <id>', 'of this thread')
    .option('--root <id>', 'of the tree below this session')
    .option('--parent <id>', 'spawned by this session')
    .option('--since <when>', 'changed since: 7d, 2026-11-01 or an ISO time; UTC without a zone')
    .option('--pinned', 'pinned ones')
    .option('--held', 'under a legal hold')
    .option('--question', 'waiting for an answer')
}

/** Leaves out what was not given. `idOf` turns a short id into a whole one. */
export async function filtersOf(
  options: FilterOptions,
  nowMs: number,
  idOf: (id: string) => Promise<string>,
): Promise<SessionFilters> {
  const { agent, user, model, provider, status, conversation, thread, root, parent } = options
  const filters = {
    agentId: agent,
    ownerUserId: user,
    model,
    providerId: provider,
    status,
    purpose: options.purpose,
    channel: options.channel,
    lineage: options.lineage,
    conversationId: conversation,
    threadId: thread,
    rootSessionId: root === undefined ? undefined : await idOf(root),
    parentSessionId: parent === undefined ? undefined : await idOf(parent),
    updatedSince: options.since === undefined ? undefined : sinceOption(options.since, nowMs),
    pinned: options.pinned,
    held: options.held,
    hasQuestion: options.question,
  }
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined))
}

export function sinceOption(text: string, nowMs: number, name = '--since'): string {
  try {
    return since(text, nowMs)
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new HoldfastError('invalid_input', `${name}: ${error.message}`)
  }
}
