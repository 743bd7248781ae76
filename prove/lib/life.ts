/**
 * A random life of a session through the real engine: messages, tool rounds, crashes with their recovery, aborts, late and
 * repeated results, forks, undos and edits, compactions that take the place of others, erasures, children, questions
 * and runs recorded at once. A refusal is as good as an effect; any other error is a fault.
 */
import type { ActiveSession, HeldRun, Holdfast, HostCommand, NewMessage, Store } from '@holdfast/core'
import { DEFAULT_TENANT, isHoldfastError } from '@holdfast/protocol'
import type { Random } from './random.ts'

/** The world of a life: the engine, its store, and the clock that both go by. */
export interface World {
  holdfast: Holdfast
  store: Store
  clock: { nowMs: number }
  random: Random
}

/** What the stored head says that a life goes by. */
interface Now {
  seq: number
  pathSeq: number
  openCalls?: string[]
  run?: { state: string }
  question?: { questionId: string }
}

type Part = Exclude<NewMessage['parts'], undefined>[number]
type Step = (life: Life, now: Now) => HostCommand[] | Promise<unknown>

const lease = { owner: 'worker', ttlMs: 1_000 }

export class Life {
  readonly world: World
  /** The session and its forks. */
  readonly sessions: string[] = []
  session: ActiveSession
  /** Held by the worker; whether it still is the one that may write shows when it writes. */
  run: HeldRun | undefined
  /** Every call ever made, for late and repeated results. */
  readonly calls: string[] = []
  readonly children: string[] = []
  #made = 0

  static async begin(world: World): Promise<Life> {
    return new Life(world, await world.holdfast.sessions.create({ agentId: 'agent' }))
  }

  private constructor(world: World, session: { id: string }) {
    this.world = world
    this.session = this.goOnIn(session)
  }

  goOnIn(session: { id: string }): ActiveSession {
    this.sessions.push(session.id)
    this.run = undefined
    this.session = session as ActiveSession
    return this.session
  }

  async step(): Promise<void> {
    const now = await this.#now()
    const step = this.world.random.pick(now.run && isLive(now.run.state) ? running : resting)
    try {
      const done = steps[step](this, now)
      if (Array.isArray(done)) await (this.#isOwn(step) ? (this.run as HeldRun) : this.session).batch(done)
      else await done
    } catch (error) {
      if (!isHoldfastError(error)) throw error
    }
  }

  /** Mostly the worker writes while it has a run; now and then somebody beside it tries. */
  #isOwn(step: StepName): boolean {
    return this.run !== undefined && step !== 'user' && step !== 'stop' && !this.world.random.chance(0.1)
  }

  async #now(): Promise<Now> {
    const head = await this.world.store.readHead(DEFAULT_TENANT, this.session.id)
    return JSON.parse(head?.body ?? '') as Now
  }

  name(kind: string): string {
    this.#made += 1
    return `${kind}${this.#made}`
  }

  /** An assistant message with calls. Some models give the same ids in every round. */
  asking(): NewMessage {
    const { random } = this.world
    const own = random.chance(0.25) ? 'call' : this.name('call-')
    const calls = Array.from({ length: 1 + random.below(3) }, (_, n) => `${own}${n}`)
    this.calls.push(...calls)
    const parts = calls.map((callId): Part => ({ type: 'tool_call', callId, name: 'search', input: {} }))
    return { role: 'assistant', parts: [...(random.chance(0.5) ? thinking(random) : []), ...parts] }
  }
}

function isLive(state: string): boolean {
  return state === 'initializing' || state === 'running' || state === 'finalizing'
}

const steps = {
  user: ({ world: { random } }) => [
    {
      type: 'append',
      message: said('user', random),
      policy: random.pick(['enqueue', 'steer', 'interrupt', 'reject']),
    },
  ],
  system: ({ world: { random } }) => [{ type: 'append', message: said('system', random) }],
  answer: ({ world: { random } }) => [{ type: 'append', message: answered(random) }],
  call: (life) => [{ type: 'append', message: life.asking() }],
  result: ({ world: { random } }, { openCalls = [] }) =>
    openCalls.length === 0 ? [] : [finish(random.pick(openCalls))],
  anyResult: ({ world: { random }, calls }) =>
    calls.length === 0 ? [] : [finish(random.pick(calls.slice(-8)))],
  closeCalls: () => [{ type: 'closeCalls', reason: 'aborted' }],
  startRun: async (life) => {
    life.run = await life.session.startRun(lease)
  },
  startRound: () => [{ type: 'startRound' }],
  completeRound: () => [{ type: 'completeRound' }],
  suspend: () => [{ type: 'suspendRun', reason: 'children' }],
  resume: async (life) => {
    life.run = await life.session.resumeRun(lease)
  },
  complete: ({ world: { random } }) => [
    { type: 'append', message: answered(random) },
    { type: 'completeRound' },
    { type: 'completeRun' },
  ],
  fail: () => [{ type: 'failRun', error: 'broke' }],
  cancel: () => [{ type: 'cancelRun' }],
  stop: ({ session }) => session.stopRun(),
  draft: async ({ run, world: { random } }) => {
    const draft = run?.draft()
    for (const kind of ['reasoning', 'text'] as const)
      if (random.chance(0.6)) draft?.write({ kind, text: random.pick(['so far', ' ']) })
    await draft?.flush()
  },
  crash: async ({ session, world: { holdfast, clock, random } }) => {
    clock.nowMs += lease.ttlMs + 1
    await holdfast.sessions.recover(session.id, { outcome: random.pick(['fail', 'cancel', 'suspend']) })
  },
  takeOver: async (life) => {
    life.world.clock.nowMs += lease.ttlMs + 1
    life.run = await life.session.takeOverRun(lease)
  },
  ask: (life) => [
    { type: 'askQuestion', question: { questionId: life.name('q'), question: 'Which?' } as never },
  ],
  answerQuestion: (_life, { question }) =>
    question ? [{ type: 'answerQuestion', questionId: question.questionId, answer: 'that one' }] : [],
  undo: () => [{ type: 'undo' }],
  redo: () => [{ type: 'redo' }],
  truncate: ({ world: { random } }, { seq }) => [{ type: 'truncate', seq: 1 + random.below(seq) }],
  edit: ({ world: { random } }, { seq }) => [
    { type: 'edit', messageId: String(1 + random.below(seq)), message: said('user', random) },
  ],
  compact: (life, now) => [compaction(life, now)],
  clear: () => [{ type: 'clearContext' }],
  trim: ({ world: { random } }, { seq }) => [
    { type: 'trimContext', trimmed: 1, throughSeq: 1 + random.below(seq) },
  ],
  recorded: (life) => recordedRun(life),
  fork: async (life, { seq }) => {
    const { random } = life.world
    const fork = await life.session.fork({}, random.chance(0.5) ? {} : { atSeq: 1 + random.below(seq) })
    life.goOnIn(fork)
  },
  spawn: (life) => spawn(life),
  finishChild: ({ children }) => {
    const childId = children.pop()
    const spent = { tokens: 1, costMicrocents: 1, toolCalls: 0 }
    return childId ? [{ type: 'finishChild', childId, outcome: 'completed', spent }] : []
  },
  erase: ({ session, world: { holdfast, random } }, { seq }) =>
    holdfast.sessions.erase(session.id, [2 + random.below(seq)]),
} as const satisfies Record<string, Step>

type StepName = keyof typeof steps

const all = Object.keys(steps) as StepName[]
const aside: StepName[] = [
  'user',
  'user',
  'user',
  'compact',
  'compact',
  'anyResult',
  'undo',
  'redo',
  'recorded',
]
const resting: StepName[] = [...all, ...aside, 'startRun', 'startRun', 'startRun', 'call', 'result', 'answer']
const running: StepName[] = [
  ...all,
  'call',
  'call',
  'call',
  'result',
  'result',
  'result',
  'result',
  'draft',
].concat([
  'startRound',
  'startRound',
  'startRound',
  'completeRound',
  'completeRound',
  'complete',
  'crash',
  'answer',
]) as StepName[]

function said(role: 'user' | 'system', random: Random): NewMessage {
  const text = random.chance(0.05) ? random.pick(['', ' \n']) : `${role} ${random.below(1_000)}`
  return { role, parts: [{ type: 'text', text }], ...(random.chance(0.05) && { neverCompress: true }) }
}

/** Whole, or as a model leaves it that was cut off, or had nothing to say. */
function answered(random: Random): NewMessage {
  const text: Part = { type: 'text', text: random.chance(0.1) ? '' : `answer ${random.below(1_000)}` }
  const parts = random.pick([
    [text],
    [...thinking(random), text],
    thinking(random),
    [text, ...thinking(random)],
  ])
  return { role: 'assistant', parts }
}

function thinking(random: Random): Part[] {
  const proof = random.chance(0.5) ? { signature: 'signed', encrypted: 'sealed' } : {}
  return [{ type: 'reasoning', text: 'let me think', ...proof }]
}

function finish(callId: string): HostCommand {
  return { type: 'finishTool', callId, output: `of ${callId}` }
}

/** Often from the beginning, so that it takes the place of those before it. */
function compaction(life: Life, { seq, pathSeq }: Now): HostCommand {
  const { random } = life.world
  const to = 1 + random.below(seq)
  const from = random.chance(0.5) ? 1 : 1 + random.below(to)
  const counts = { tokensBefore: 9, tokensAfter: 1, messagesCovered: 1 }
  const record = { compactionId: life.name('compaction'), from, to, trigger: 'manual' as const, ...counts }
  return { type: 'applyCompaction', pathSeq, summary: 'Before this.', summaryTokens: 1, record }
}

function recordedRun(life: Life): HostCommand[] {
  const asking = life.asking()
  const calls = asking.parts?.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : [])) ?? []
  return [
    { type: 'append', message: said('user', life.world.random) },
    { type: 'startRun', recorded: true, ...lease },
    { type: 'startRound' },
    { type: 'append', message: asking },
    ...calls.toReversed().map(finish),
    { type: 'append', message: answered(life.world.random) },
    { type: 'completeRound' },
    { type: 'completeRun' },
  ]
}

async function spawn(life: Life): Promise<void> {
  const { childId } = await (life.run ?? life.session).spawnChild({ agentId: 'helper' })
  life.children.push(childId)
}
