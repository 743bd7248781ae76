/** Making sessions: from an input, as a child of a run, or as a fork of another session's prefix. */
import {
  type Actor,
  type CreateInput,
  checkLimit,
  createInput,
  externalId,
  HoldfastError,
  id,
  isHoldfastError,
  type JsonObject,
  limits,
  parseInput,
  scanValue,
} from '@holdfast/protocol'
import type { Command } from '../session/command.ts'
import { decideCreate, decideFork } from '../session/decide/index.ts'
import type { Head, State } from '../session/state.ts'
import type { Segment } from '../store/store.ts'
import { modelRef } from './check-command.ts'
import { checkObject, checkText } from './check-input.ts'
import { idFromKey } from './key-hash.ts'
import type { Start, WriteTerms, Written } from './request.ts'
import type { TenantLog } from './tenant-log.ts'
import { type Asked, termsOf, type WriteOptions } from './write-options.ts'

/** Place of a child in its tree. */
export interface Lineage {
  parentSessionId: string
  rootSessionId: string
  spawnDepth: number
}

/** The key of a creation whose id was chosen and that has none of its own: the same creation again is no second one. */
const CREATION_KEY = 'holdfast.create'

export async function createSession(
  log: TenantLog,
  input: CreateInput,
  options: WriteOptions | undefined,
  actor: Actor,
): Promise<Written> {
  const create = await readyToCreate(log, input, options, actor)
  return create()
}

/** Rejects for what cannot be made; what it gives makes the session. */
export async function readyToCreate(
  log: TenantLog,
  input: CreateInput,
  options: WriteOptions | undefined,
  actor: Actor,
  lineage?: Lineage,
): Promise<() => Promise<Written>> {
  const checked = checkCreate(input)
  const sessionId = checked.id ?? newId(log, options)
  const command = await creation(log, sessionId, checked, lineage)
  const terms = creationTerms(
    options,
    actor,
    { operation: 'create', sessionId, body: input },
    checked.id !== undefined,
  )
  const start = { decision: decideCreate(command), source: undefined, segments: [] }
  return () => started(log.start(sessionId, start, terms), terms)
}

/** Another creation with the same chosen id is no key conflict of the caller's: the caller gave no key. */
async function started(written: Promise<Written>, { key }: WriteTerms): Promise<Written> {
  try {
    return await written
  } catch (error) {
    if (key?.text !== CREATION_KEY || !isHoldfastError(error, 'key_conflict')) throw error
    throw new HoldfastError(
      'id_taken',
      'a session with this id was made from another input; choose another id',
      { cause: error },
    )
  }
}

type CheckedCreate = ReturnType<typeof checkCreate>

function checkCreate(input: CreateInput) {
  scanValue(input, 'eventBytes', 'session')
  const checked = parseInput(createInput, input, 'session')
  if (checked.title !== undefined) checkText(checked.title, 'titleBytes', 'title')
  if (checked.goalText !== undefined) checkText(checked.goalText, 'goalBytes', 'goalText')
  if (checked.ttlSecs) checkLimit('ttlSecs', checked.ttlSecs, 'ttlSecs')
  return checked
}

function newId(log: TenantLog, options: WriteOptions | undefined): string {
  return options?.key === undefined ? log.engine.ids.next() : idFromKey(log.tenantId, options.key)
}

function creationTerms(
  options: WriteOptions | undefined,
  actor: Actor,
  asked: Asked,
  isIdChosen: boolean,
): WriteTerms {
  const key = options?.key ?? (isIdChosen ? CREATION_KEY : undefined)
  return termsOf(key === undefined ? options : { ...options, key }, actor, () => asked)
}

async function creation(
  log: TenantLog,
  sessionId: string,
  checked: CheckedCreate,
  lineage: Lineage | undefined,
): Promise<Command<'create'>> {
  const { model: _model, providerId: _provider, metadata, ttlSecs, budget, ...given } = checked
  const conversationId = given.conversationId ?? log.engine.ids.next()
  const { agentId, ownerUserId } = given
  return withoutUndefined({
    ...given,
    ...(await binding(log, checked)),
    type: 'create' as const,
    id: sessionId,
    tenantId: log.tenantId,
    conversationId,
    threadId: given.threadId ?? conversationId,
    agentName: given.agentName ?? agentId,
    userParticipantId: given.userParticipantId ?? ownerUserId,
    agentParticipantId: given.agentParticipantId ?? agentId,
    ttlSecs: ttlSecs ?? undefined,
    budget,
    metadata: metadata && checkObject(metadata, 'metadataBytes', 'metadata'),
    ...(lineage
      ? { lineage: 'child' as const, ...lineage }
      : { lineage: 'root' as const, rootSessionId: sessionId, spawnDepth: 0 }),
  }) as Command<'create'>
}

/** What the input names, else what the agent's record says, else nothing until activation. */
async function binding(log: TenantLog, checked: CheckedCreate) {
  const named = modelRef(checked, 'session')
  const { reasoningEffort, personaId } = checked
  if (named.model !== undefined) return named
  const record = await log.store.readRecord(log.tenantId, 'agent', checked.agentId)
  if (!record) return named
  const agent = JSON.parse(record.body) as { providerId?: string; model?: string } & Pick<
    CheckedCreate,
    'reasoningEffort' | 'personaId'
  >
  return {
    ...modelRef({ providerId: named.providerId ?? agent.providerId, model: agent.model }, 'agent'),
    reasoningEffort: reasoningEffort ?? agent.reasoningEffort,
    personaId: personaId ?? agent.personaId,
  }
}

/** What a fork may have of its own; the rest it takes from its source. */
export interface ForkInput {
  id?: string
  conversationId?: string
  /** Absent: a thread of its own, so that the source's thread goes on undisturbed. */
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

export interface ForkOptions extends WriteOptions {
  /** The fork's prefix ends here; absent: at the source's end. */
  atSeq?: number
}

export async function forkSession(
  log: TenantLog,
  sourceId: string,
  input: ForkInput,
  options: ForkOptions,
  actor: Actor,
): Promise<Written> {
  checkFork(input)
  const sessionId = input.id === undefined ? newId(log, options) : parseInput(id, input.id, 'id')
  const { atSeq, ...writeOptions } = options
  const asked = { operation: `fork ${sourceId}`, sessionId, body: { input, atSeq } }
  const terms = creationTerms(writeOptions, actor, asked, input.id !== undefined)
  // The source may have moved to where it cannot be forked, or be gone: a fork that was made is still the answer.
  if (await wasMade(log, sessionId, terms)) return { sessionId, events: [], epoch: undefined, replayed: true }
  for (let tries = 1; ; tries++) {
    const { source, now, segments } = await prefixOf(log, sourceId, atSeq)
    const command = forkCommand(log, { source, now }, sessionId, input)
    try {
      const start = { decision: decideFork(source, command), source, segments }
      return await started(log.start(sessionId, start, terms), terms)
    } catch (error) {
      // Something was erased since the source was read: it is read again, and found missing if it is.
      if (!isHoldfastError(error, 'not_found') || tries >= limits.commitTries) throw error
    }
  }
}

/** What a fork begins with: the state of its source there, and where its prefix is read from. */
export async function prefixOf(
  log: TenantLog,
  sourceId: string,
  atSeq: number | undefined,
): Promise<ForkStates & Pick<Start, 'segments'>> {
  const { source, now, headSeqs } = await statesFor(log, sourceId, atSeq)
  const segments = (await segmentsThrough(log, sourceId, source.head.seq)).map((segment) => {
    const headSeq = headSeqs.get(segment.sessionId)
    return headSeq === undefined ? segment : { ...segment, headSeq }
  })
  return { source, now, segments }
}

async function wasMade(log: TenantLog, sessionId: string, { key }: WriteTerms): Promise<boolean> {
  const used = key && (await log.store.readKey(log.tenantId, sessionId, key.key))
  return used !== undefined && used.hash === key?.hash
}

const forkFields: ReadonlySet<string> = new Set<keyof ForkInput>([
  'id',
  'conversationId',
  'threadId',
  'agentId',
  'agentName',
  'ownerUserId',
  'title',
  'providerId',
  'model',
  'ttlSecs',
  'ttlSliding',
])

/** By the rules of what makes a session, of which a fork may have a part. */
function checkFork(input: ForkInput): void {
  checkObject(input as JsonObject, 'eventBytes', 'fork')
  parseInput(createInput, { agentId: 'agent', ...input }, 'fork')
  const unknown = Object.keys(input).find((field) => !forkFields.has(field))
  if (unknown !== undefined) {
    throw new HoldfastError(
      'invalid_input',
      `fork: ${unknown} is not of a fork; it has ${[...forkFields].join(', ')}.`,
    )
  }
}

/** `source` is the state to go on from, which may be of the source's own source; who it is is told by its head of now. */
interface ForkStates {
  source: State
  now: Head
}

async function statesFor(
  log: TenantLog,
  sourceId: string,
  atSeq: number | undefined,
): Promise<ForkStates & { headSeqs: Map<string, number> }> {
  if (atSeq !== undefined && !(Number.isSafeInteger(atSeq) && atSeq >= 1)) {
    throw new HoldfastError('invalid_input', 'atSeq: expected a whole number of at least 1.')
  }
  const headSeqs = await headSeqsOf(log, sourceId)
  const { state } = await log.reads.requireState(sourceId)
  const now = state.head
  if (atSeq === undefined || atSeq === now.seq) return { source: state, now, headSeqs }
  if (atSeq > state.head.seq) {
    throw new HoldfastError(
      'not_on_path',
      `session ${sourceId} has no seq ${atSeq} to fork at; it ends at ${state.head.seq}`,
      {
        details: { seq: state.head.seq },
      },
    )
  }
  const { head, parts } = await log.reads.stateAt(sourceId, atSeq)
  return { source: { head: { ...head, id: sourceId }, parts }, now, headSeqs }
}

/** Of the source and all that it reads from, before anything of them is read: what is erased later is noticed. */
async function headSeqsOf(log: TenantLog, sourceId: string): Promise<Map<string, number>> {
  const segments = await log.store.readSegments(log.tenantId, sourceId)
  const seqs = new Map<string, number>()
  for (const sessionId of [sourceId, ...segments.map((segment) => segment.sessionId)]) {
    const head = await log.store.readHead(log.tenantId, sessionId)
    if (head) seqs.set(sessionId, head.seq)
  }
  return seqs
}

function forkCommand(
  log: TenantLog,
  { source, now: head }: ForkStates,
  sessionId: string,
  input: ForkInput,
): Command<'fork'> {
  const named = input.model === undefined && input.providerId === undefined ? head : modelRef(input, 'fork')
  const ownerUserId = input.ownerUserId ?? head.ownerUserId
  const agentId = parseInput(externalId, input.agentId ?? head.agentId, 'agentId')
  const sameAgent = agentId === head.agentId
  const sameOwner = ownerUserId === head.ownerUserId
  return withoutUndefined({
    type: 'fork' as const,
    id: sessionId,
    tenantId: log.tenantId,
    source: { sessionId: head.id, seq: source.head.seq },
    conversationId: parseInput(externalId, input.conversationId ?? head.conversationId, 'conversationId'),
    threadId: parseInput(externalId, input.threadId ?? sessionId, 'threadId'),
    agentId,
    agentName: parseInput(externalId, input.agentName ?? (sameAgent ? head.agentName : agentId), 'agentName'),
    ownerUserId: ownerUserId && parseInput(externalId, ownerUserId, 'ownerUserId'),
    userParticipantId: sameOwner ? head.userParticipantId : ownerUserId,
    agentParticipantId: sameAgent ? head.agentParticipantId : agentId,
    purpose: head.purpose,
    channel: head.channel,
    modelPolicy: head.modelPolicy,
    goalText: source.parts.goal ?? undefined,
    title: input.title === undefined ? chosenTitle(head) : checkText(input.title, 'titleBytes', 'title'),
    providerId: named.providerId,
    model: named.model,
    ttlSecs: forkTtl(input, head.ttlSecs),
    ttlSliding: input.ttlSliding ?? head.ttlSliding ?? false,
  }) as Command<'fork'>
}

/** One that was made from the content is made anew where the content goes on. */
function chosenTitle({ title, titleAutomatic }: Head): string | undefined {
  return titleAutomatic ? undefined : title
}

function forkTtl({ ttlSecs }: ForkInput, inherited: number | undefined): number | undefined {
  if (ttlSecs === undefined) return inherited
  if (ttlSecs === null) return undefined
  checkLimit('ttlSecs', ttlSecs, 'ttlSecs')
  if (Number.isSafeInteger(ttlSecs) && ttlSecs >= 1) return ttlSecs
  throw new HoldfastError(
    'invalid_input',
    'ttlSecs: expected a whole number of at least 1, or null for never.',
  )
}

/** Flat: each segment names the session that holds the events itself. */
export async function segmentsThrough(log: TenantLog, sourceId: string, seq: number): Promise<Segment[]> {
  const all = await log.store.readSegments(log.tenantId, sourceId)
  const own = (all.at(-1)?.to ?? 0) + 1
  const before = all
    .filter(({ from }) => from <= seq)
    .map((segment) => ({ ...segment, to: Math.min(segment.to, seq) }))
  const segments = seq < own ? before : [...before, { sessionId: sourceId, from: own, to: seq }]
  if (segments.length <= limits.forkSegments) return segments
  throw new HoldfastError(
    'fork_too_deep',
    `a fork of session ${sourceId} would be read from ${segments.length} places; ${limits.forkSegments} are allowed`,
  )
}

function withoutUndefined<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}
