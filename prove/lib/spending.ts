/** What sessions spend: a plan of steps by chance, with the bill that must stand after each. */
import { type Attempt, bookNames, costOf, models, nothing, plus, type Sums, sumsOf } from './bill.ts'
import type { Random } from './random.ts'

export type Step = { tenant: string } & (
  | { do: 'open'; session: string; user: string }
  /** A run with a round for each group of attempts; those after a failed one are its retries. */
  | { do: 'turn'; session: string; rounds: Attempt[][]; end: 'complete' | 'fail' | 'cancel' }
  | { do: 'beside'; session: string; attempts: Attempt[] }
  | { do: 'fork'; session: string; source: string; user: string }
  | { do: 'spawn'; session: string; parent: string }
  | { do: 'close' | 'delete'; session: string }
  | { do: 'price'; book: string }
)

export interface Planned {
  step: Step
  /** The tenant's bill once the step is done. */
  bill: Sums
}

interface Spender {
  id: string
  root: string
  user: string
  isClosed: boolean
  /** Others need it: it is not deleted. */
  isNeeded: boolean
}

/** Attempts of one tenant: so few that all its rows can be added up after every step. */
const attemptsPerTenant = 500

export class Spending {
  /** Every attempt with its cost at the time. */
  readonly charged: { attempt: Attempt; cost: number | undefined }[] = []
  /** Deleted sessions, by tenant and id: their rows stay, without user. */
  readonly deleted = new Set<string>()
  readonly #random: Random
  #tenant = ''
  #book = ''
  #spenders: Spender[] = []
  #bill = nothing
  #names = 0
  #ofTenant = 0

  constructor(random: Random) {
    this.#random = random
  }

  *steps(attempts: number): Generator<Planned> {
    while (this.charged.length < attempts) {
      if (this.#tenant === '' || this.#ofTenant >= attemptsPerTenant) yield* this.#newTenant()
      else yield this.#planned(this.#anyStep())
    }
  }

  *#newTenant(): Generator<Planned> {
    this.#tenant = `tenant-${++this.#names}`
    this.#ofTenant = 0
    this.#spenders = []
    this.#bill = nothing
    yield this.#planned(this.#price())
    yield this.#planned(this.#open())
  }

  #planned(step: Step): Planned {
    return { step, bill: this.#bill }
  }

  #anyStep(): Step {
    const random = this.#random
    const open = this.#spenders.filter(({ isClosed }) => !isClosed)
    if (open.length < 2 || random.chance(0.04)) return this.#open()
    const spender = random.pick(open)
    const chance = random.below(100)
    if (chance < 50) return this.#turn(spender)
    if (chance < 82) return this.#beside(random.pick(this.#spenders))
    if (chance < 88) return this.#fork(spender)
    if (chance < 92) return this.#spawn(spender)
    if (chance < 95) return this.#close(spender)
    if (chance < 98) return this.#delete(spender)
    return this.#price()
  }

  #price(): Step {
    this.#book = this.#random.pick(bookNames)
    return { tenant: this.#tenant, do: 'price', book: this.#book }
  }

  #open(): Step {
    const id = this.#name('session')
    const user = `user-${this.#random.below(4)}`
    this.#spenders.push({ id, root: id, user, isClosed: false, isNeeded: false })
    return { tenant: this.#tenant, do: 'open', session: id, user }
  }

  #turn(spender: Spender): Step {
    const rounds = Array.from({ length: 1 + this.#random.below(3) }, () => this.#tries(spender))
    const end = this.#random.pick(['complete', 'complete', 'fail', 'cancel'] as const)
    return { tenant: this.#tenant, do: 'turn', session: spender.id, rounds, end }
  }

  /** Failed and aborted ones, and then one that may be in order. */
  #tries(spender: Spender): Attempt[] {
    const failed = Array.from({ length: this.#random.below(3) }, () =>
      this.#attempt(spender, this.#random.pick(['failed', 'aborted'] as const)),
    )
    return [...failed, this.#attempt(spender, 'ok')]
  }

  #beside(spender: Spender): Step {
    const attempts = Array.from({ length: 1 + this.#random.below(4) }, () =>
      this.#attempt(spender, 'ok', this.#random.pick(['title', 'compaction'] as const)),
    )
    return { tenant: this.#tenant, do: 'beside', session: spender.id, attempts }
  }

  #attempt(
    { id, root, user }: Spender,
    status: Attempt['status'],
    purpose: Attempt['purpose'] = 'turn',
  ): Attempt {
    const random = this.#random
    const promptTokens = random.below(10_000)
    const attempt: Attempt = {
      attemptId: this.#name('attempt'),
      tenant: this.#tenant,
      session: id,
      root,
      user,
      agent: 'agent',
      model: random.pick(models),
      purpose,
      status,
      estimated: status === 'aborted',
      promptTokens,
      completionTokens: status === 'failed' ? 0 : random.below(2_000),
      cachedReadTokens: random.below(promptTokens + 1),
      ...(random.chance(0.2) && { reported: random.below(1_000_000) }),
    }
    const cost = costOf(attempt, this.#book)
    this.charged.push({ attempt, cost })
    this.#bill = plus(this.#bill, sumsOf(attempt, cost))
    this.#ofTenant += 1
    return attempt
  }

  #fork(source: Spender): Step {
    const id = this.#name('fork')
    source.isNeeded = true
    this.#spenders.push({ id, root: id, user: source.user, isClosed: false, isNeeded: false })
    return { tenant: this.#tenant, do: 'fork', session: id, source: source.id, user: source.user }
  }

  #spawn(parent: Spender): Step {
    const id = this.#name('child')
    parent.isNeeded = true
    // A session of the tree that goes would take those below it along.
    this.#spenders.push({ id, root: parent.root, user: parent.user, isClosed: false, isNeeded: true })
    return { tenant: this.#tenant, do: 'spawn', session: id, parent: parent.id }
  }

  #close(spender: Spender): Step {
    spender.isClosed = true
    return { tenant: this.#tenant, do: 'close', session: spender.id }
  }

  #delete(spender: Spender): Step {
    if (spender.isNeeded) return this.#close(spender)
    this.#spenders = this.#spenders.filter((other) => other !== spender)
    this.deleted.add(`${this.#tenant} ${spender.id}`)
    return { tenant: this.#tenant, do: 'delete', session: spender.id }
  }

  #name(kind: string): string {
    this.#names += 1
    return `${kind}-${this.#names}`
  }
}
