/**
 * A store full of canaries: sessions of every kind, with one at each place where words of a person, a model or a tool
 * can stand. It says what was written where, so that what an erasure must take can be told without asking the engine.
 */
import type { ActiveSession, CreatedSession, Holdfast, NewMessage, Store } from '@holdfast/core'
import type { Canaries, Canary, Spot } from './canaries.ts'
import type { Random } from './random.ts'

type Session = CreatedSession | ActiveSession

/** A file of a session, with the events that show it. */
export interface File {
  session: string
  note: number
  shownBy: { session: string; seq: number }[]
  bytes: Canary
  name: Canary
}

const lease = { owner: 'prover', ttlMs: 600_000 }
const person = { kind: 'user', id: 'alice' } as const

export class CanaryStore {
  readonly holdfast: Holdfast
  readonly canaries: Canaries
  readonly files: File[] = []
  /** Events that somebody could ask to have erased. */
  readonly events: { session: string; seq: number }[] = []
  /** What alice wrote in sessions of others. */
  readonly byPerson: { session: string; seq: number }[] = []
  readonly messages: { session: string; messageId: string; seqs: number[] }[] = []
  /** By fork, where its prefix is held: rising by seq. */
  readonly segments = new Map<string, { session: string; from: number; to: number }[]>()
  /** Sessions in the order they were made, with those that they go with. */
  readonly sessions = new Map<string, { goesWith: string[] }>()
  readonly #random: Random
  readonly #store: Store

  constructor(holdfast: Holdfast, store: Store, canaries: Canaries, random: Random) {
    this.holdfast = holdfast
    this.canaries = canaries
    this.#random = random
    this.#store = store
  }

  async fill(): Promise<void> {
    await this.#records()
    for (const name of ['a', 'b', 'c']) await this.#rich(`rich-${name}`, {})
    await this.#fork('rich-a', 'fork-one')
    await this.#fork('fork-one', 'fork-two')
    await this.#fork('rich-b', 'fork-three')
    await this.#family()
    await this.#rich('owned', { ownerUserId: person.id, conversationId: 'alone' })
    await this.#fork('owned', 'fork-of-owned')
    await this.#shared('shared')
    const held = await this.#shared('held')
    await this.#wrote(held.hold(true, { reason: this.#at('reason of a hold', 'held') }))
    for (let n = 0; n < 5; n++) await this.#prunable(n)
    await this.#atWork()
  }

  async #create(id: string, input: Record<string, string>): Promise<CreatedSession> {
    const at = (place: string) => this.#standing(place, { session: id, seq: 1 })
    const session = await this.holdfast.sessions.create({
      id,
      agentId: 'agent',
      title: at('first title'),
      metadata: { [at('first key')]: at('first metadata') },
      purpose: 'autonomous',
      goalText: at('goal'),
      ...input,
    })
    this.sessions.set(id, { goesWith: [] })
    return session
  }

  /** Mints a canary and says where it stands. */
  #standing(place: string, ...spots: Spot[]): string {
    const canary = this.canaries.mint(place)
    canary.spots.push(...spots)
    return canary.text
  }

  /** In the next event of the session, which is not known yet: told by the write that follows. */
  #at(place: string, session: string): string {
    const canary = this.canaries.mint(place)
    this.#waiting.push({ canary, session })
    return canary.text
  }

  readonly #waiting: { canary: Canary; session: string }[] = []

  /** Tells where what waited for the write came to stand. Gives the seq of the event that has the last of it. */
  async #wrote(write: Promise<unknown>, stretch: Partial<Spot> = {}): Promise<number> {
    await write
    let last = 0
    for (const { canary, session } of this.#waiting.splice(0)) {
      last = await this.#seqOf(canary, session)
      canary.spots.push({ session, seq: last, ...stretch })
      if (!this.#isKnown(session, last)) this.events.push({ session, seq: last })
    }
    return last
  }

  async #seqOf({ text, place }: Canary, session: string): Promise<number> {
    const opened = await this.holdfast.sessions.open(session)
    const { events } = await opened.events({ direction: 'backward', limit: 8 })
    const seq = events.find((event) => JSON.stringify(event).includes(text))?.seq
    if (seq === undefined) throw new Error(`${place} is in no event of ${session}`)
    return seq
  }

  #isKnown(session: string, seq: number): boolean {
    return this.events.some((event) => event.session === session && event.seq === seq)
  }

  async #records(): Promise<void> {
    const { agents, conversations, participants } = this.holdfast
    const kept = (place: string) => this.#standing(place, { session: '', seq: 0 })
    await agents.put('agent', { name: 'agent', instructions: kept('instructions of an agent') })
    await conversations.put('alone', {
      title: this.#standing('title of a conversation', { session: 'owned' }),
      metadata: { about: this.#standing('metadata of a conversation', { session: 'owned' }) },
    })
    await conversations.put('together', { title: kept('title of a conversation of two') })
    await participants.put('p', {
      conversationId: 'together',
      kind: 'user',
      name: this.#standing('name of a participant', { session: 'owned' }),
      userId: person.id,
    })
  }

  async #rich(id: string, input: Record<string, string>): Promise<Session> {
    const session = await (await this.#create(id, input)).activate()
    await this.#talk(session)
    for (let n = 0; n < 22; n++) await this.#something(session)
    if (this.#random.chance(0.5)) await this.holdfast.search('word')
    return session
  }

  async #something(session: ActiveSession): Promise<void> {
    const { id } = session
    const at = (place: string) => this.#at(place, id)
    const kinds: (() => Promise<unknown>)[] = [
      () => this.#talk(session),
      () => this.#talk(session),
      () => this.#tool(session),
      () => this.#file(session),
      () => this.#checkpoint(session),
      () => this.#run(session),
      () => this.#edit(session),
      () => this.#summary(session),
      () => this.#question(session),
      async () => await this.#wrote(session.rename(at('title'))),
      async () => await this.#wrote(session.patchMetadata({ [at('metadata key')]: at('metadata') })),
      async () => await this.#wrote(session.replaceMetadata({ only: at('metadata') })),
      async () => await this.#wrote(session.setInstructions(at('instructions'))),
      async () => {
        const sections = [{ name: at('section'), text: at('prompt') }]
        await this.#wrote(session.setPrompt({ sections, effectiveText: at('effective prompt') }))
      },
      async () => {
        const item = {
          id: 'i',
          description: at('task'),
          notes: at('notes'),
          completionCriteria: [at('criterion')],
        }
        const list = await this.#wrote(session.setTasks({ title: at('task list'), items: [item] }))
        const update = { itemId: 'i', evidence: [at('evidence')] }
        await this.#wrote(session.updateTask(update), { from: list, to: list })
      },
      async () => {
        const note = { kind: 'remark', text: at('note'), data: { [at('note key')]: [at('note data')] } }
        await this.#wrote(session.addNote(note))
      },
      async () => {
        this.canaries.mint('key')
        const key = this.canaries.all.at(-1)?.text as string
        await this.#wrote(session.append(said(at('keyed text')), { key }))
      },
    ]
    await this.#random.pick(kinds)()
  }

  async #talk(session: ActiveSession): Promise<void> {
    const { id } = session
    const at = (place: string) => this.#at(place, id)
    const filler = 'word '.repeat(this.#random.chance(0.1) ? 3_000 : this.#random.below(50))
    const asked = said(`${filler}${at('text')} ${filler}`, { author: at('author') })
    const actor = { kind: 'user', id: at('actor') } as const
    const seq = await this.#wrote(session.append(asked, { actor }))
    this.messages.push({ session: id, messageId: `${seq}`, seqs: [seq] })
    await this.#wrote(
      session.append({
        role: 'assistant',
        parts: [
          {
            type: 'reasoning',
            text: at('reasoning'),
            signature: at('signature'),
            encrypted: at('encrypted'),
          },
          { type: 'text', text: `${at('answer')}${filler}`, provider: { id: at('provider data') } },
          { type: 'data', name: 'chart', data: { [at('data key')]: at('data') } },
        ],
        citations: [{ source: at('source'), title: at('source title'), quote: at('quote') }],
      }),
    )
  }

  async #tool(session: Session): Promise<void> {
    const { id } = session
    const callId = `call-${this.#random.next()}`
    const input = { [this.#at('input key', id)]: this.#at('input', id) }
    const call = { type: 'tool_call' as const, callId, name: 'look', input }
    await this.#wrote(session.append({ role: 'assistant', parts: [call] }))
    const output = { lines: [this.#at('output', id)] }
    const result = { type: 'tool_result' as const, callId, output }
    const seq = await this.#wrote(session.append({ role: 'tool', parts: [result] }))
    const late = { kind: 'late', callId, text: this.#at('late result', id) }
    await this.#wrote(session.addNote(late), { from: seq, to: seq })
  }

  async #file(session: Session): Promise<void> {
    const bytes = this.canaries.mint('file')
    const name = this.canaries.mint('file name')
    const named = { mediaType: 'text/plain', name: name.text }
    const reference = await session.putAttachment({
      bytes: Buffer.from(`${bytes.text} `.repeat(50)),
      ...named,
    })
    const note = (await session.view()).seq
    const file = { session: session.id, note, shownBy: [], bytes, name }
    this.files.push(file)
    for (let shown = this.#random.below(3); shown > 0; shown--) await this.#show(session, file, reference)
  }

  async #show(session: Session, file: File, reference: { hash: string; mediaType: string; bytes: number }) {
    const part = { type: 'file' as const, ...reference, name: file.name.text }
    await session.append({ role: 'user', parts: [part] })
    const seq = await this.#seqOf(file.name, session.id)
    file.shownBy.push({ session: session.id, seq })
    this.events.push({ session: session.id, seq })
  }

  async #checkpoint(session: Session): Promise<void> {
    const canary = this.canaries.mint('checkpoint')
    const checkpointId = `k-${this.#random.next()}`
    await session.putCheckpoint({ checkpointId, channels: { said: [canary.text], same: 'the same' } })
    canary.spots.push({ session: session.id, from: 1, to: (await session.view()).seq })
    this.checkpoints.push({ session: session.id, checkpointId })
  }

  readonly checkpoints: { session: string; checkpointId: string }[] = []

  async #run(session: ActiveSession): Promise<void> {
    const { id } = session
    const run = await (await session.startRun(lease)).startRound()
    const draft = run.draft()
    const text = this.#at('drafted text', id)
    draft.write(text.slice(0, 9))
    draft.write(text.slice(9))
    await draft.flush()
    const { draftId } = draft
    await this.#wrote(run.append({ role: 'assistant', parts: [{ type: 'text', text }] }, { draftId }))
    const figures = { attemptId: `a-${this.#random.next()}`, promptTokens: 5, completionTokens: 2 }
    await this.#wrote(run.recordUsage({ ...figures, raw: { said: this.#at('raw usage', id) } }))
    await this.#wrote(run.openProviderContext({ initialTokens: 1, responseId: this.#at('response', id) }))
    if (this.#random.chance(0.5)) await this.#wrote(run.fail(this.#at('error', id)))
    else await this.#wrote(run.cancel(this.#at('reason', id)))
  }

  async #edit(session: ActiveSession): Promise<void> {
    const { id } = session
    const messageId = `m-${this.#random.next()}`
    const seqs = [await this.#wrote(session.append(said(this.#at('first wording', id), { id: messageId })))]
    const second = said(this.#at('second wording', id), { id: `${messageId}-2` })
    seqs.push(await this.#wrote(session.edit(messageId, second)))
    this.messages.push({ session: id, messageId: `${messageId}-2`, seqs })
  }

  async #summary(session: ActiveSession): Promise<void> {
    const { id } = session
    const covered = await this.#wrote(session.append(said(`${this.#at('covered text', id)}`)))
    const head = await this.#store.readHead(this.holdfast.tenantId, id)
    const { pathSeq = 0 } = JSON.parse(head?.body ?? '{}') as { pathSeq?: number }
    const record = {
      compactionId: `c-${this.#random.next()}`,
      from: covered,
      to: covered,
      trigger: 'manual' as const,
      tokensBefore: 900,
      tokensAfter: 9,
      messagesCovered: 1,
    }
    const summary = this.#at('summary', id)
    const compaction = { record, pathSeq, summary, summaryTokens: 5 }
    await this.#wrote(session.compact(compaction), { from: covered, to: covered })
  }

  async #question(session: Session): Promise<void> {
    const { id } = session
    const questionId = `q-${this.#random.next()}`
    const option = this.#at('option', id)
    await this.#wrote(session.ask({ questionId, question: this.#at('question', id), options: [option] }))
    await this.#wrote(session.answer(questionId, this.#at('answer to a question', id)))
  }

  /** With the title that its source bore, and one of its files. */
  async #fork(source: string, id: string): Promise<void> {
    const opened = (await this.holdfast.sessions.open(source)) as ActiveSession
    const before = await opened.view()
    const fork = await opened.fork({ id })
    const through = before.seq
    const above = this.segments.get(source) ?? []
    const first = (above.at(-1)?.to ?? 0) + 1
    this.segments.set(id, [...above, { session: source, from: first, to: through }])
    this.sessions.set(id, { goesWith: [source, ...(this.sessions.get(source)?.goesWith ?? [])] })
    for (const canary of this.canaries.all) {
      if (canary.text !== before.title && canary.text !== before.goalText) continue
      const [copied] = canary.spots
      if (copied?.seq !== undefined)
        canary.spots.push({
          session: id,
          seq: through + 1,
          copied: copied as { session: string; seq: number },
        })
    }
    const active = await fork.activate()
    for (let n = 0; n < 6; n++) await this.#something(active)
    const visible = this.files.filter(({ session, note }) => {
      return this.segments.get(id)?.some((segment) => segment.session === session && note <= segment.to)
    })
    if (visible.length === 0) return
    const file = this.#random.pick(visible)
    const hashes = (await active.events({ limit: 1_000 })).events.flatMap(({ data }) => {
      const { kind, data: reference } = data as { kind?: string; data?: Record<string, unknown> }
      return kind === 'attachment' && reference?.name === file.name.text ? [reference] : []
    })
    const [reference] = hashes as { hash: string; mediaType: string; bytes: number }[]
    if (reference) await this.#show(active, file, reference)
  }

  async #family(): Promise<void> {
    const parent = await this.#rich('parent', {})
    await parent.spawnChild({
      childId: 'child',
      agentId: 'agent',
      title: this.#standing('title of a child', { session: 'child', seq: 1 }),
    })
    this.sessions.set('child', { goesWith: ['parent'] })
    const child = (await this.holdfast.sessions.open('child')) as CreatedSession
    await this.#tool(child)
    const spent = { tokens: 1, costMicrocents: 1, toolCalls: 1 }
    const finished = {
      childId: 'child',
      outcome: 'completed' as const,
      spent,
      result: this.#at('result of a child', 'parent'),
    }
    const active = (await this.holdfast.sessions.open('parent')) as ActiveSession
    await this.#wrote(active.finishChild(finished))
    await this.#wrote(parent.close({ reason: this.#at('reason of an end', 'parent') }))
  }

  /** A session of bob's that alice speaks in. */
  async #shared(id: string): Promise<Session> {
    const session = await (
      await this.#create(id, { ownerUserId: 'bob', conversationId: 'together' })
    ).activate()
    await this.#talk(session)
    for (const options of [{ actor: person }, {}]) {
      const message = said(this.#at('text of a person', id), 'actor' in options ? {} : { author: person.id })
      this.byPerson.push({ session: id, seq: await this.#wrote(session.append(message, options)) })
    }
    await this.#talk(session)
    return session
  }

  async #prunable(n: number): Promise<void> {
    const session = await this.#create(`prunable-${n}`, { agentId: 'prunable' })
    await this.#tool(session)
    if (n === 0) await session.pin(true)
  }

  /** A live run whose message is in the making. */
  async #atWork(): Promise<void> {
    const session = await (await this.#create('at-work', {})).activate()
    await this.#talk(session)
    const run = await session.startRun(lease)
    const draft = run.draft()
    const canary = this.canaries.mint('open draft')
    draft.write(`${canary.text} and so on`)
    await draft.flush()
    canary.spots.push({ session: 'at-work', from: 1, to: Number.MAX_SAFE_INTEGER })
  }
}

function said(text: string, fields: Partial<NewMessage> = {}): NewMessage {
  return { role: 'user', parts: [{ type: 'text', text }], ...fields }
}
