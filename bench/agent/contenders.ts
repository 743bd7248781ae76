/** The same turns twice: a loop around `streamText` that keeps nothing, and a durable turn. */
import { type AgentSession, type Agents, defineAgent, defineTool, withAgents } from '@holdfast/agent'
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { tokenBudget } from '@holdfast/protocol'
import { isStepCount, type ModelMessage, streamText, tool } from 'ai'
import { z } from 'zod'
import { found, question, type Talking, talking } from './model.ts'

const input = z.object({ n: z.number() })

export interface TurnContender {
  /** One turn of so many rounds. */
  turn(rounds: number): Promise<void>
  /** Milliseconds from the question to the first text of an answer that comes piece by piece. */
  firstText(): Promise<number>
}

/** What a program does that keeps its conversation in a variable: it is given a new one after each turn. */
export class BareLoop implements TurnContender {
  readonly #talk: Talking = talking()

  async turn(rounds: number): Promise<void> {
    await this.#converse(rounds)
  }

  async firstText(): Promise<number> {
    this.#talk.inPieces = true
    const firstMs = await this.#converse(1)
    this.#talk.inPieces = false
    return firstMs
  }

  async #converse(rounds: number): Promise<number> {
    this.#talk.rounds = rounds
    const messages: ModelMessage[] = [{ role: 'user', content: question }]
    const start = performance.now()
    let firstMs: number | undefined
    for (let round = 0; round < rounds; round++) {
      const result = streamText({
        model: this.#talk.model,
        system: 'Be brief.',
        messages,
        tools: { look: tool({ description: 'Looks', inputSchema: input, execute: () => found }) },
        stopWhen: isStepCount(1),
      })
      for await (const part of result.fullStream)
        if (part.type === 'text-delta') firstMs ??= performance.now() - start
      messages.push(...(await result.response).messages)
    }
    return firstMs ?? Number.NaN
  }
}

/** Sessions that begin as forks of one, whose length is chosen. */
export class DurableTurns {
  readonly #talk: Talking
  readonly #holdfast: Holdfast
  readonly #agents: Agents
  readonly #original: AgentSession
  #length = 0

  static async on(path: string): Promise<DurableTurns> {
    const talk = talking()
    const look = defineTool({ name: 'look', description: 'Looks', input, execute: () => found })
    const instructions = 'Be brief.'
    const holdfast = await openHoldfast({ store: sqlite(path) })
    const agent = defineAgent({ id: 'bench', instructions, model: talk.model, tools: [look], maxRounds: 1e6 })
    const agents = withAgents(holdfast, { agents: [agent] })
    // No compaction: what is measured is a turn over a history that is sent whole.
    const budget = tokenBudget.parse({ maxContextTokens: 100_000_000 })
    return new DurableTurns(talk, holdfast, agents, await agents.create({ agentId: 'bench', budget }))
  }

  private constructor(talk: Talking, holdfast: Holdfast, agents: Agents, original: AgentSession) {
    this.#talk = talk
    this.#holdfast = holdfast
    this.#agents = agents
    this.#original = original
  }

  async growTo(length: number): Promise<void> {
    const missing = length - this.#length
    if (missing > 0) await this.#turnIn(this.#original, missing)
    this.#length = Math.max(length, this.#length)
  }

  /** A session of the length grown to. */
  async begin(): Promise<TurnContender> {
    const { id } = await this.#original.log.fork()
    const session = this.#agents.at(id)
    return {
      turn: (rounds) => this.#turnIn(session, rounds),
      firstText: () => this.#firstTextIn(session),
    }
  }

  async #turnIn(session: AgentSession, rounds: number): Promise<void> {
    this.#talk.rounds = rounds
    for await (const _ of session.send(question));
  }

  async #firstTextIn(session: AgentSession): Promise<number> {
    this.#talk.rounds = 1
    this.#talk.inPieces = true
    const start = performance.now()
    let firstMs: number | undefined
    for await (const { type } of session.send(question))
      if (type === 'draft') firstMs ??= performance.now() - start
    this.#talk.inPieces = false
    return firstMs ?? Number.NaN
  }

  async close(): Promise<void> {
    await this.#agents.close()
    await this.#holdfast.close()
  }
}
