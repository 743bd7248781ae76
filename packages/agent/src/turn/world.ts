/** What every turn of a process shares. */
import type { HeldRun, Holdfast } from '@holdfast/core'
import type { Ids } from '@holdfast/protocol'
import type { CountTokens } from '../context/count.ts'
import type { KeptPrompts } from '../context/kept-prompts.ts'
import type { Agent } from '../define/agent.ts'

export interface World {
  readonly holdfast: Holdfast
  readonly agents: ReadonlyMap<string, Agent>
  /** Names this process in the leases that it holds. */
  readonly owner: string
  readonly leaseTtlMs: number
  readonly counter: Promise<CountTokens>
  readonly prompts: KeptPrompts
  readonly ids: Ids
  /** Aborts when nobody works on turns here any more. */
  readonly closed: AbortSignal
  /** Has this process work on the run of a child that it holds and that just began. */
  begin(agentId: string, run: HeldRun, seq: number): void
  onError(error: unknown, sessionId?: string): void
  now(): number
  /** In [0, 1). */
  random(): number
  /** Rejects with the signal's reason. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}
