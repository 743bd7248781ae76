/** How a chat begins: with whom, in which session, and what was said there. */
import type { Agent } from '@holdfast/agent'
import { HoldfastError, type Message, type Session } from '@holdfast/protocol'
import type { AgentsHere } from '../agents/agents-of.ts'
import { defaultAgentId } from '../agents/default-agent-id.ts'
import { preferredAgent } from '../agents/preferred-agent.ts'
import type { Context } from '../context.ts'
import { plainLine } from '../terminal/plain.ts'
import { messageEntries } from '../transcript/entries.ts'
import { entryLines } from '../transcript/transcript-lines.ts'

const widest = 110
const widthOfPipe = 100

/** Id of the agent that is named, else of the preferred one. Throws `not_found`. */
export function agentFor({ agents, from }: AgentsHere, named: string | undefined): string {
  const id = named ?? preferredAgent(agents) ?? defaultAgentId
  if (agents.some((agent) => agent.id === id)) return id
  const help = agents.length === 0 ? `${from} has none.` : `--agent <id> names one of ${namesOf(agents)}.`
  throw new HoldfastError('not_found', `There is no agent ${plainLine(id)}.\n  ${help}`)
}

/** Throws what a turn would be refused with, before anybody has typed it. `agents`: those that are known here. */
export function requireOpen(
  { id, agentId, status, endedAt }: Session,
  agents: readonly Agent[] | undefined,
): void {
  if (status === 'expired') throw new HoldfastError('session_expired', `Session ${id} is expired.`)
  if (endedAt !== undefined) throw new HoldfastError('session_closed', `Session ${id} is closed.`)
  if (!agents || agents.some((agent) => agent.id === agentId)) return
  const message = `Session ${id} is one of the agent ${plainLine(agentId)}, which is not defined here.`
  throw new HoldfastError('not_found', `${message}\n  There is ${namesOf(agents)}.`)
}

function namesOf(agents: readonly Agent[]): string {
  return agents.map(({ id }) => id).join(', ') || 'none'
}

export async function showLast(
  { output }: Context,
  name: string,
  messages: readonly Message[],
): Promise<void> {
  const { style } = output
  const width = Math.min(output.width ?? widthOfPipe, widest)
  const entries = messageEntries(messages)
  const lines = entries.flatMap((entry) =>
    entryLines(entry, { style, width, full: false, wholeIds: !output.isTerminal }),
  )
  await output.aside(style.title(name), ...lines, '')
}

export async function greet(
  { output, world }: Context,
  { model, from }: Pick<AgentsHere, 'model' | 'from'>,
  agentId: string,
): Promise<void> {
  const { style } = output
  const who = agentId === '' || agentId === defaultAgentId ? '' : `agent ${plainLine(agentId)}: `
  await output.aside(style.faint(`${who}${plainLine(model)} (${plainLine(from)})`))
  if (world.canAsk) await output.aside(style.faint('Ctrl-C stops an answer, Ctrl-D ends the chat.'))
}
