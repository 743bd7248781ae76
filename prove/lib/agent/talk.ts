/** A long session with an agent, every prompt of which is looked at. */
import { type AgentSession, type Agents, withAgents } from '@holdfast/agent'
import type { Holdfast } from '@holdfast/core'
import { tokenBudget } from '@holdfast/protocol'
import type { Random } from '../random.ts'
import { type PromptFaults, promptFaults } from './prompt-check.ts'
import { type Summary, talker, words } from './talker.ts'

export interface TalkTerms {
  holdfast: Holdfast
  id: string
  agentId: string
  windowTokens: number
  summary: Summary
  random: Random
  /** A planted bug: what is to stay is said like everything else. */
  unpinned: boolean
}

export type TalkFaults = PromptFaults & {
  'not found again': string[]
  'held after a failure': string[]
  'ended early': string[]
}

const outputTokens = 500

export class Talk {
  /** Prompts that were looked at. */
  rounds = 0
  searched = 0
  readonly faults: TalkFaults = {
    ...{ 'beyond the budget': [], 'pinned lost': [], unpaired: [] },
    ...{ 'not found again': [], 'held after a failure': [], 'ended early': [] },
  }
  readonly #terms: TalkTerms
  readonly #agents: Agents
  readonly #session: AgentSession
  readonly #pinned: string[] = []
  /** Words that were said once. */
  readonly #markers: string[] = []

  constructor(terms: TalkTerms) {
    this.#terms = terms
    const { holdfast, id, agentId, summary, random, windowTokens } = terms
    const room = windowTokens - outputTokens
    const agent = talker({
      ...{ agentId, summary, random },
      onPrompt: (prompt) => {
        this.rounds += 1
        const found = promptFaults(prompt, { room, pinned: this.#pinned })
        for (const kind of ['beyond the budget', 'pinned lost', 'unpaired'] as const)
          this.faults[kind].push(...found[kind])
      },
    })
    this.#agents = withAgents(holdfast, { agents: [agent], pollMs: 0 })
    this.#session = this.#agents.at(id)
  }

  get turns(): number {
    return this.#markers.length
  }

  async begin(): Promise<void> {
    const { holdfast, id, agentId, windowTokens } = this.#terms
    if (!(await holdfast.sessions.get(id))) await this.#agents.create({ agentId, id })
    const budget = { maxContextTokens: windowTokens, maxOutputTokens: outputTokens, workingReserveTokens: 0 }
    await this.#session.log.setBudget(tokenBudget.parse(budget))
  }

  async pin(fact: string): Promise<void> {
    const message = { role: 'user' as const, parts: [{ type: 'text' as const, text: fact }] }
    await this.#session.log.append(this.#terms.unpinned ? message : { ...message, neverCompress: true })
    this.#pinned.push(fact)
  }

  /** A turn of some rounds. Whether it came to its end. */
  async say(): Promise<boolean> {
    const marker = `marker${this.#terms.id.replace(/\W/g, '')}${this.turns}`
    this.#markers.push(marker)
    const { outcome, error } = await this.#session.send(`${marker} ${words(this.#terms.random, 30)}`).result
    if (outcome !== 'completed') this.faults['ended early'].push(`${outcome}: ${error?.message}`)
    return outcome === 'completed'
  }

  /** A summary that cannot hold is asked for, and what is in force stays as it was. */
  async refuseSummary(): Promise<void> {
    const before = await this.#inForce()
    const did = await this.#session.compact()
    const after = await this.#inForce()
    if (did || before !== after) this.faults['held after a failure'].push(`${before}, then ${after}`)
  }

  async #inForce(): Promise<string> {
    const { overlays, trimmedThrough } = await this.#session.log.contextState()
    return JSON.stringify({ overlays, trimmedThrough })
  }

  /** Everything that was said is found, however often it was left out of the context since. */
  async lookBack(): Promise<void> {
    const { holdfast, id: sessionId } = this.#terms
    while ((await holdfast.search('marker')).behind);
    for (const marker of this.#markers) {
      const { hits } = await holdfast.search(marker, { sessionId, limit: 5 })
      if (hits.length === 0) this.faults['not found again'].push(marker)
      this.searched += 1
    }
  }

  /** How often which kind of compaction held or failed. */
  async compactions(): Promise<{ held: number; modelFree: number; failed: number }> {
    const sums = { held: 0, modelFree: 0, failed: 0 }
    for (let after = 0; ; ) {
      const { events, more } = await this.#session.log.events({ after, limit: 1_000 })
      for (const { type, data } of events) {
        const isModelFree = (data as { trigger?: string }).trigger === 'model_free'
        if (type === 'compaction.applied') sums[isModelFree ? 'modelFree' : 'held'] += 1
        if (type === 'compaction.failed') sums.failed += 1
      }
      after = events.at(-1)?.seq ?? after
      if (!more) return sums
    }
  }

  close(): Promise<void> {
    return this.#agents.close()
  }
}
