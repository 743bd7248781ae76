/** Sessions as a program elsewhere has them. */
import type {
  AppendReceipt,
  CompactionRecord,
  CreateInput,
  contextUsage,
  DeletedSessions,
  Erased,
  EventData,
  FileReference,
  HeldRun,
  InputPolicy,
  Json,
  JsonObject,
  Message,
  MessagePage,
  ModelContext,
  messageInput,
  Outcome,
  Page,
  PromptSnapshot,
  QuestionInput,
  ReasoningEffort,
  SavedCheckpoint,
  Session,
  SessionComparison,
  SessionEvent,
  SessionListItem,
  SessionListPage,
  SessionStatus,
  SessionsCounted,
  SessionTreeNode,
  TaskList,
  TaskStatus,
  TaskUpdate,
  TokenBudgetInput,
  TurnAccepted,
  TurnInput,
  UsageInput,
  UsageRow,
  UsageSums,
  WriteReceipt,
} from '@holdfast/protocol'
import { TurnReading } from '@holdfast/protocol'
import { bytesOf, having, isPage, parsed, requireType, textOf } from './answer.ts'
import { type Followed, type FollowedInTree, type FollowOptions, follow } from './follow.ts'
import type { CallOptions, ChangeOptions, FileBytes, Http } from './http.ts'
import { itemTexts } from './item-texts.ts'
import { everyItem } from './pages.ts'
import { Turn, untilRest } from './turn.ts'

/** A message as it may be given. */
export type NewMessage = (typeof messageInput)['_zod']['input']

type ContextUsageInput = (typeof contextUsage)['_zod']['input']

export interface SessionFilters {
  ownerUserId?: string
  agentId?: string
  conversationId?: string
  threadId?: string
  rootSessionId?: string
  parentSessionId?: string
  purpose?: Session['purpose']
  lineage?: Session['lineage']
  status?: readonly SessionStatus[]
  channel?: Session['channel']
  model?: string
  providerId?: string
  pinned?: boolean
  held?: boolean
  hasQuestion?: boolean
  updatedSince?: string
}

export interface PageOptions extends CallOptions {
  limit?: number
  after?: string
}

export interface SessionPatch {
  title?: string | null
  pinned?: boolean
  metadata?: JsonObject
  providerId?: string
  model?: string
  personaId?: string | null
  seedId?: string | null
  reasoningEffort?: ReasoningEffort | null
  compressionInstructions?: string | null
  budget?: TokenBudgetInput | null
}

export interface ForkInput {
  atSeq?: number
  id?: string
  conversationId?: string
  threadId?: string
  agentId?: string
  agentName?: string
  ownerUserId?: string
  title?: string
  providerId?: string
  model?: string
  ttlSecs?: number | null
  ttlSliding?: boolean
}

export interface RunLease {
  /** Who the worker is. */
  owner: string
  /** How long the lease holds without a heartbeat. */
  ttlMs: number
}

export interface ChildInput extends Omit<CreateInput, 'id' | 'budget'> {
  childId?: string
  /** The tool call that asked for it. */
  callId?: string
  /** What it may spend, out of what its parent has left. */
  grant?: { tokens?: number; costMicrocents?: number; toolCalls?: number }
}

export interface ErasureOptions extends ChangeOptions {
  reason?: string
  /** Final at once, which costs the size of the store; default true. */
  scrub?: boolean
}

export class SessionsClient {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  // Making and finding

  create(input: CreateInput, options?: ChangeOptions): Promise<Session> {
    return this.#http.change('POST', '/v1/sessions', { body: input }, options, having('id'))
  }

  get(sessionId: string, options?: CallOptions): Promise<Session> {
    return this.#http.get(at(sessionId), undefined, options, having('id'))
  }

  list(filters: SessionFilters = {}, { signal, ...page }: PageOptions = {}): Promise<SessionListPage> {
    return this.#http.getPage('/v1/sessions', { ...filters, ...page }, signal && { signal })
  }

  /** Every one that passes the filters. */
  all(filters?: SessionFilters, options?: PageOptions): AsyncGenerator<SessionListItem, void, void> {
    return everyItem((after) => this.list(filters, { ...options, ...(after !== undefined && { after }) }))
  }

  /** How many pass the filters. */
  async count(filters: SessionFilters = {}, { signal }: CallOptions = {}): Promise<number> {
    let all = 0
    let after: string | undefined
    do {
      const query = { ...filters, ...(after !== undefined && { after }) }
      const page: SessionsCounted = await this.#http.get(
        '/v1/session-count',
        query,
        signal && { signal },
        having('count', 'next'),
      )
      all += page.count
      after = page.next ?? undefined
    } while (after !== undefined)
    return all
  }

  tree(rootSessionId: string, options?: CallOptions): Promise<SessionTreeNode> {
    return this.#http.get(at(rootSessionId, 'tree'), undefined, options, having('session', 'children'))
  }

  compare(sessionId: string, other: string, options?: CallOptions): Promise<SessionComparison> {
    return this.#http.get(at(sessionId, 'compare'), { with: other }, options, having('commonSeq'))
  }

  fork(sessionId: string, input: ForkInput = {}, options?: ChangeOptions): Promise<Session> {
    return this.#http.change('POST', at(sessionId, 'fork'), { body: input }, options, having('id'))
  }

  // What a session is

  patch(sessionId: string, patch: SessionPatch, options?: ChangeOptions): Promise<WriteReceipt> {
    return this.#http.change('PATCH', at(sessionId), { body: patch }, options)
  }

  activate(
    sessionId: string,
    model: { providerId?: string; model?: string } = {},
    options?: ChangeOptions,
  ): Promise<WriteReceipt> {
    return this.#post(sessionId, 'activate', model, options)
  }

  close(
    sessionId: string,
    how: { outcome?: Outcome; reason?: string; cancel?: boolean } = {},
    options?: ChangeOptions,
  ): Promise<WriteReceipt> {
    return this.#post(sessionId, 'close', how, options)
  }

  delete(
    sessionId: string,
    how: { cascade?: boolean; force?: boolean; scrub?: boolean } = {},
    options?: ChangeOptions,
  ): Promise<DeletedSessions> {
    return this.#http.change('DELETE', at(sessionId), { query: how }, options, having('sessionIds'))
  }

  hold(sessionId: string, held: boolean, reason?: string, options?: ChangeOptions): Promise<WriteReceipt> {
    return this.#post(sessionId, 'hold', { held, ...(reason !== undefined && { reason }) }, options)
  }

  /** The content of these events, and everything derived from it, here and in forks. */
  erase(
    sessionId: string,
    seqs: readonly number[],
    { reason, scrub, ...options }: ErasureOptions = {},
  ): Promise<Erased> {
    const body = { seqs, ...(reason !== undefined && { reason }) }
    return this.#http.change('POST', at(sessionId, 'erase'), { body, query: { scrub } }, options)
  }

  /** The same for a message, with the versions that it replaced. */
  eraseMessage(
    sessionId: string,
    messageId: string,
    { reason, scrub, ...options }: ErasureOptions = {},
  ): Promise<Erased> {
    const body = { ...(reason !== undefined && { reason }) }
    const path = at(sessionId, 'messages', messageId, 'erase')
    return this.#http.change('POST', path, { body, query: { scrub } }, options)
  }

  /** The whole of the metadata; null for none. */
  replaceMetadata(
    sessionId: string,
    values: JsonObject | null,
    options?: ChangeOptions,
  ): Promise<WriteReceipt> {
    return this.#http.change('PUT', at(sessionId, 'metadata'), { body: { values } }, options)
  }

  // Messages and the path

  append(
    sessionId: string,
    messages: NewMessage | readonly NewMessage[],
    { policy, ...options }: ChangeOptions & { policy?: InputPolicy } = {},
  ): Promise<AppendReceipt> {
    const body = Array.isArray(messages) ? { messages } : messages
    return this.#http.change('POST', at(sessionId, 'messages'), { body, query: { policy } }, options)
  }

  /** Without a cursor the newest page. */
  messages(
    sessionId: string,
    { signal, ...page }: PageOptions & { before?: string } = {},
  ): Promise<MessagePage> {
    return this.#http.getPage(at(sessionId, 'messages'), page, signal && { signal })
  }

  edit(
    sessionId: string,
    messageId: string,
    message: NewMessage,
    options?: ChangeOptions,
  ): Promise<AppendReceipt> {
    return this.#http.change('PUT', at(sessionId, 'messages', messageId), { body: message }, options)
  }

  truncate(sessionId: string, seq: number, options?: ChangeOptions): Promise<WriteReceipt> {
    return this.#post(sessionId, 'truncate', { seq }, options)
  }

  undo(sessionId: string, options?: ChangeOptions): Promise<WriteReceipt> {
    return this.#post(sessionId, 'undo', {}, options)
  }

  redo(sessionId: string, options?: ChangeOptions): Promise<WriteReceipt> {
    return this.#post(sessionId, 'redo', {}, options)
  }

  addNote(
    sessionId: string,
    note: { kind: string; text?: string; data?: Json; callId?: string },
    options?: ChangeOptions,
  ): Promise<WriteReceipt> {
    return this.#post(sessionId, 'notes', note, options)
  }

  /** What a model would be sent now. */
  async context(sessionId: string, options?: CallOptions): Promise<Pick<Message, 'role' | 'parts'>[]> {
    const page: { data: Message[] } = await this.#http.get(
      at(sessionId, 'context'),
      undefined,
      options,
      having('data'),
    )
    return page.data
  }

  /** How full the context is. */
  measureContext(
    sessionId: string,
    usage: ContextUsageInput,
    options?: ChangeOptions,
  ): Promise<WriteReceipt> {
    return this.#context(sessionId, 'usage', { usage }, options)
  }

  /** Shortens old tool outputs, through a seq, in what the model is sent. */
  trimContext(
    sessionId: string,
    trim: { trimmed: number; throughSeq: number },
    options?: ChangeOptions,
  ): Promise<WriteReceipt> {
    return this.#context(sessionId, 'trim', trim, options)
  }

  /** Drops what was derived of the context; messages stay. */
  clearContext(sessionId: string, options?: ChangeOptions): Promise<WriteReceipt> {
    return this.#context(sessionId, 'clear', {}, options)
  }

  /** Puts a summary in the place of a range; the originals stay. */
  compact(
    sessionId: string,
    compaction: { record: CompactionRecord; pathSeq: number; summary: string; summaryTokens: number },
    options?: ChangeOptions,
  ): Promise<WriteReceipt> {
    return this.#context(sessionId, 'compact', compaction, options)
  }

  /** The prompt that the model was given. */
  setPrompt(sessionId: string, prompt: PromptSnapshot, options?: ChangeOptions): Promise<WriteReceipt> {
    return this.#http.change('PUT', at(sessionId, 'prompt'), { body: { prompt } }, options)
  }

  // The log

  /**
   * A page of the log; `wait`: seconds to wait for the next event when there is none yet. With `children` also of all below
   * it: each event has its `sessionId`, and `next` is always where the reader stands.
   */
  events(
    sessionId: string,
    { signal, ...page }: PageOptions & { wait?: number; children?: boolean } = {},
  ): Promise<Page<SessionEvent & { sessionId?: string }>> {
    return this.#http.getPage(at(sessionId, 'events'), page, signal && { signal })
  }

  /** The same page as JSON texts, each byte for byte as the log has it. */
  async eventTexts(
    sessionId: string,
    { signal, ...page }: PageOptions = {},
  ): Promise<Page<{ seq: number; text: string }>> {
    const answer = await this.#http.send('GET', at(sessionId, 'events'), { query: page, signal })
    const body = await textOf(answer, 'json')
    const { next } = parsed<Page<SessionEvent>>(body, isPage, answer.url)
    const seqOf = (text: string) => (JSON.parse(text) as SessionEvent).seq
    return { data: itemTexts(body).map((text) => ({ seq: seqOf(text), text })), next }
  }

  /** History, then what is written from now on, through drops and restarts, without gap or repeat. */
  follow(
    sessionId: string,
    options: FollowOptions & { children: true },
  ): AsyncGenerator<FollowedInTree, void, void>
  follow(sessionId: string, options?: FollowOptions): AsyncGenerator<Followed, void, void>
  follow(
    sessionId: string,
    { after = '0', signal, ...query }: FollowOptions = {},
  ): AsyncGenerator<Followed, void, void> {
    const place = { after, ...(signal && { signal }) }
    return follow(this.#http, at(sessionId, 'events'), place, { ...query })
  }

  // Agents that work in the server

  /** Asks the agent. Nothing is asked twice, whatever becomes of the connection. */
  turn(
    sessionId: string,
    input: TurnInput['input'],
    { policy, messageId, signal, ...options }: ChangeOptions & Pick<TurnInput, 'policy' | 'messageId'> = {},
  ): Turn {
    const body = { input, policy, messageId, wait: false }
    const path = at(sessionId, 'turns')
    const accepted = this.#http.change<TurnAccepted>(
      'POST',
      path,
      { body },
      { ...options, ...(signal && { signal }) },
    )
    return new Turn(
      accepted,
      (after, signal) => this.follow(sessionId, { after, ...(signal && { signal }) }),
      signal,
    )
  }

  /** All that happens after a cursor until the run rests: for who answered its question, or finds it at work. */
  async *followRun(
    sessionId: string,
    runId: string,
    options: Pick<FollowOptions, 'after' | 'signal'> = {},
  ): AsyncGenerator<Followed, void, void> {
    yield* untilRest(this.follow(sessionId, options), new TurnReading({ runId }))
  }

  /** What the agent's model would be sent now. */
  modelContext(sessionId: string, options?: CallOptions): Promise<ModelContext> {
    return this.#http.get(at(sessionId, 'context', 'model'), undefined, options)
  }

  /** Has the agent's model summarise the older part of the context. False: there was nothing to summarise. */
  async compactContext(
    sessionId: string,
    how: { instructions?: string } = {},
    options?: ChangeOptions,
  ): Promise<boolean> {
    const { compacted } = await this.#http.change<{ compacted: boolean }>(
      'POST',
      at(sessionId, 'compact'),
      { body: how },
      options,
    )
    return compacted
  }

  // Files of sessions

  /** Holdfast's own JSONL, as it comes; another program's `format` may lose something. */
  async export(
    sessionId: string,
    format?: string,
    { signal }: CallOptions = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const answer = await this.#http.send('GET', at(sessionId, 'export'), { query: { format }, signal })
    requireType(answer, 'ndjson')
    return answer.body ?? new ReadableStream()
  }

  // Children and runs, for workers

  /** Again with the same `childId` is no change. */
  spawnChild(
    sessionId: string,
    child: ChildInput,
    options?: ChangeOptions,
  ): Promise<{ childId: string; seq: number }> {
    return this.#post(sessionId, 'children', child, options)
  }

  children(sessionId: string, { signal, ...page }: PageOptions = {}): Promise<SessionListPage> {
    return this.#http.getPage(at(sessionId, 'children'), page, signal && { signal })
  }

  /** Tells the parent how a child ended, and what it spent. */
  finishChild(
    sessionId: string,
    { childId, ...ended }: EventData<'child.finished'>,
    options?: ChangeOptions,
  ): Promise<WriteReceipt> {
    return this.#http.change('POST', at(sessionId, 'children', childId, 'finish'), { body: ended }, options)
  }

  /** Starts a run and holds its lease: `epoch` goes with every write of the run. */
  startRun(
    sessionId: string,
    run: RunLease & { runId?: string; answers?: string; providerId?: string; model?: string },
    options?: ChangeOptions,
  ): Promise<HeldRun> {
    return this.#post(sessionId, 'run', run, options)
  }

  /** Takes the lost lease of a live run, under a new epoch. */
  takeOverRun(sessionId: string, lease: RunLease, options?: ChangeOptions): Promise<HeldRun> {
    return this.#run(sessionId, 'take-over', lease, options)
  }

  resumeRun(sessionId: string, lease: RunLease, options?: ChangeOptions): Promise<HeldRun> {
    return this.#run(sessionId, 'resume', lease, options)
  }

  /** Keeps the lease; `stale_epoch` when another worker has it. */
  heartbeat(sessionId: string, epoch: number, ttlMs: number, options?: ChangeOptions): Promise<HeldRun> {
    return this.#run(sessionId, 'heartbeat', { epoch, ttlMs }, options)
  }

  /** Commands of the run in one commit, such as `{type: 'append', message}` and `{type: 'completeRun'}`. */
  writeRun(
    sessionId: string,
    epoch: number,
    commands: readonly ({ type: string } & Record<string, unknown>)[],
    options?: ChangeOptions,
  ): Promise<AppendReceipt & Omit<HeldRun, 'runId'>> {
    return this.#run(sessionId, 'batch', { epoch, commands }, options)
  }

  /** Asks a live run to stop, which keeps its partial answer; cancels a suspended one. */
  stopRun(sessionId: string, reason?: string, options?: ChangeOptions): Promise<WriteReceipt> {
    return this.#run(sessionId, 'stop', reason === undefined ? {} : { reason }, options)
  }

  /** Ends a suspended run; a live one is its worker's to end. */
  cancelRun(sessionId: string, reason?: string, options?: ChangeOptions): Promise<WriteReceipt> {
    return this.#run(sessionId, 'cancel', reason === undefined ? {} : { reason }, options)
  }

  // Work

  ask(
    sessionId: string,
    question: QuestionInput,
    options?: ChangeOptions,
  ): Promise<WriteReceipt & { questionId: string }> {
    return this.#post(sessionId, 'questions', question, options)
  }

  answer(
    sessionId: string,
    questionId: string,
    answer: Json,
    options?: ChangeOptions,
  ): Promise<WriteReceipt> {
    return this.#http.change(
      'POST',
      at(sessionId, 'questions', questionId, 'answer'),
      { body: { answer } },
      options,
    )
  }

  withdrawQuestion(
    sessionId: string,
    questionId: string,
    reason?: string,
    options?: ChangeOptions,
  ): Promise<WriteReceipt> {
    const body = { ...(reason !== undefined && { reason }) }
    return this.#http.change('POST', at(sessionId, 'questions', questionId, 'withdraw'), { body }, options)
  }

  tasks(sessionId: string, options?: CallOptions): Promise<TaskList> {
    return this.#http.get(at(sessionId, 'tasks'), undefined, options)
  }

  setTasks(
    sessionId: string,
    list: { title?: string; items: readonly Record<string, unknown>[] } | null,
    options?: ChangeOptions,
  ): Promise<WriteReceipt> {
    return this.#http.change('PUT', at(sessionId, 'tasks'), { body: { list } }, options)
  }

  updateTask(
    sessionId: string,
    { itemId, ...update }: TaskUpdate,
    options?: ChangeOptions,
  ): Promise<WriteReceipt & { itemId: string; status?: TaskStatus }> {
    return this.#http.change('PATCH', at(sessionId, 'tasks', itemId), { body: update }, options)
  }

  /** A stream is sent as it comes, and once: what fails of it is not tried again. */
  putAttachment(
    sessionId: string,
    { name, ...file }: { bytes: FileBytes; mediaType: string; name?: string },
    options?: ChangeOptions,
  ): Promise<FileReference> {
    return this.#http.change('POST', at(sessionId, 'attachments'), { file, query: { name } }, options)
  }

  async getAttachment(sessionId: string, hash: string, { signal }: CallOptions = {}): Promise<Uint8Array> {
    return bytesOf(await this.#http.send('GET', at(sessionId, 'attachments', hash), { signal }))
  }

  /** The bytes as they come, from an offset on. The stream fails when the file cannot be had to its end. */
  async readAttachment(
    sessionId: string,
    hash: string,
    { offset = 0, signal }: CallOptions & { offset?: number } = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` }
    const { body } = await this.#http.send('GET', at(sessionId, 'attachments', hash), { headers, signal })
    return body ?? new ReadableStream()
  }

  /** A graph state of the thread, each channel's whole value. */
  putCheckpoint(
    sessionId: string,
    checkpoint: Partial<Pick<SavedCheckpoint, 'checkpointId' | 'namespace' | 'parentId'>> &
      Pick<SavedCheckpoint, 'channels'>,
    options?: ChangeOptions,
  ): Promise<WriteReceipt & { checkpointId: string }> {
    return this.#post(sessionId, 'checkpoints', checkpoint, options)
  }

  /** By its id, else the newest of the thread. */
  getCheckpoint(
    sessionId: string,
    { signal, ...which }: CallOptions & { namespace?: string; checkpointId?: string } = {},
  ): Promise<SavedCheckpoint> {
    return this.#http.get(at(sessionId, 'checkpoints'), which, signal && { signal })
  }

  recordUsage(sessionId: string, usage: UsageInput, options?: ChangeOptions): Promise<WriteReceipt> {
    return this.#post(sessionId, 'usage', usage, options)
  }

  usage(sessionId: string, { signal, ...page }: PageOptions = {}): Promise<Page<UsageRow>> {
    return this.#http.getPage(at(sessionId, 'usage'), page, signal && { signal })
  }

  /** `tree`: with all below it, when it is a root. */
  usageTotals(
    sessionId: string,
    { tree = false, signal }: CallOptions & { tree?: boolean } = {},
  ): Promise<UsageSums> {
    return this.#http.get(at(sessionId, 'usage', 'totals'), { tree }, signal && { signal })
  }

  /** A token that lets somebody see, or answer, this session alone. */
  share(
    sessionId: string,
    how: { scopes?: readonly ('read' | 'answer')[]; ttlSecs?: number } = {},
    options?: ChangeOptions,
  ): Promise<{ token: string; expiresAt: string }> {
    return this.#post(sessionId, 'share', how, options)
  }

  #context<T>(
    sessionId: string,
    what: string,
    body: unknown,
    options: ChangeOptions | undefined,
  ): Promise<T> {
    return this.#http.change('POST', at(sessionId, 'context', what), { body }, options)
  }

  #run<T>(sessionId: string, what: string, body: unknown, options: ChangeOptions | undefined): Promise<T> {
    return this.#http.change('POST', at(sessionId, 'run', what), { body }, options)
  }

  #post<T>(sessionId: string, what: string, body: unknown, options: ChangeOptions | undefined): Promise<T> {
    return this.#http.change('POST', at(sessionId, what), { body }, options)
  }
}

function at(sessionId: string, ...more: readonly string[]): string {
  return ['/v1/sessions', sessionId, ...more]
    .map((part, n) => (n === 0 ? part : encodeURIComponent(part)))
    .join('/')
}
