/** What the server asks of whoever answers in sessions. `hostAgents` of `@holdfast/agent` gives it. */
import type { Followed, WriteOptions } from '@holdfast/core'
import type {
  CreateInput,
  InputPolicy,
  MessagePart,
  TenantId,
  TurnPlace,
  TurnResult,
} from '@holdfast/protocol'

export interface AgentHost {
  /** Of the agents that work here. */
  readonly agentIds: ReadonlySet<string>
  /** What a session of the agent has where its maker does not say otherwise. */
  defaultsOf(agentId: string): Pick<CreateInput, 'agentName' | 'budget' | 'personaId'> | undefined
  in(tenantId: TenantId): TenantAgents
  /** Takes no more turns on; those under way may end for so long, then others go on with them. */
  close(options: { drainMs: number }): Promise<void>
}

export interface TenantAgents {
  at(sessionId: string): AnsweringSession
  /** Somebody may be wanted to work on the session: now, and not at the next look. */
  wake(sessionId: string): Promise<void>
}

export interface AnsweringSession {
  send(
    input: string | readonly MessagePart[],
    options: WriteOptions & { policy?: InputPolicy; messageId?: string },
  ): AskedTurn
  /** Towards the goal of the session. */
  pursue(options: Omit<WriteOptions, 'key'>): AskedTurn
  /** False: there was nothing that a summary could stand for. */
  compact(options: { instructions?: string }): Promise<boolean>
}

export interface AskedTurn {
  /** Resolves when the input is durable. `after`: the seq before it. */
  accepted(): Promise<{ place: TurnPlace; after: number; replayed: boolean }>
  /** From the input on to where the run rests. */
  batches(signal: AbortSignal): AsyncGenerator<readonly Followed[], void, void>
  /** Rejects when the signal aborts. */
  resultUnless(signal: AbortSignal): Promise<TurnResult>
}
