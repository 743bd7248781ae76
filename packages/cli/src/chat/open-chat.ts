/** Where a chat takes place: in this process on the store, or with the agents of a server. */
import type { Agent } from '@holdfast/agent'
import { type AgentsHere, agentsOf } from '../agents/agents-of.ts'
import { defaultAgentId } from '../agents/default-agent-id.ts'
import type { Context } from '../context.ts'
import type { Place } from '../place/place.ts'
import { resolveId } from '../sessions/resolve-id.ts'
import { plainLine } from '../terminal/plain.ts'
import type { ChatPlace } from './chat-place.ts'
import { agentFor } from './opening.ts'
import { ServerPlace } from './server-place.ts'

export interface OpenedChat {
  place: ChatPlace
  /** The same sessions, for everything but turns. */
  sessions: Place
  /** Of the session that is gone on with. */
  sessionId: string | undefined
  /** Who answers in a new one. */
  agentId: string
  /** Those that are defined here; absent: the server knows. */
  agents?: readonly Agent[]
  /** What answers, and who said so. */
  answers: Pick<AgentsHere, 'model' | 'from'>
}

interface Asked {
  /** Names the session that is gone on with. */
  text: string | undefined
  agent: string | undefined
  onError(error: unknown): void
}

export async function openChat(context: Context, asked: Asked): Promise<OpenedChat> {
  const { server } = await context.settings()
  return server === undefined ? onStore(context, asked) : onServer(context, asked, server)
}

async function onStore(context: Context, { text, agent, onError }: Asked): Promise<OpenedChat> {
  const { world } = context
  const here = await agentsOf(world, await context.settings())
  const { agents } = here
  const agentId = text === undefined ? agentFor(here, agent) : ''
  const holdfast = await context.open({ create: text === undefined })
  const sessionId = text === undefined ? undefined : await chatOf(holdfast, text)
  const { StorePlace } = await import('./store-place.ts')
  const place = new StorePlace(holdfast, { agents, now: world.now, onError })
  context.closeLater(() => place.close())
  return { place, sessions: holdfast, sessionId, agentId, agents, answers: here }
}

async function onServer(context: Context, { text, agent }: Asked, url: string): Promise<OpenedChat> {
  const sessions = await context.place()
  const sessionId = text === undefined ? undefined : await chatOf(sessions, text)
  const place = new ServerPlace(await context.client())
  const answers = { model: 'the agents of the server', from: plainLine(url) }
  return { place, sessions, sessionId, agentId: agent ?? defaultAgentId, answers }
}

/** What changed last may have been spawned: then the chat is that of the session that it all came from. */
async function chatOf(place: Place, text: string): Promise<string> {
  const id = await resolveId(place, text)
  if (text !== 'last') return id
  return (await place.sessions.get(id))?.rootSessionId ?? id
}
