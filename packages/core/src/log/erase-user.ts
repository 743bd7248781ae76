/** Forgetting a person: the sessions they own go whole, and elsewhere what they wrote is erased. */
import {
  type EventData,
  externalId,
  HoldfastError,
  type JsonObject,
  limits,
  parseInput,
} from '@holdfast/protocol'
import type { FoldEvent, Head } from '../session/state.ts'
import type { RecordRow } from '../store/store.ts'
import { type DeletedSessions, deleteJudged } from './delete-session.ts'
import { eachHead } from './each-head.ts'
import { type EraseOptions, eraseEvents, freeOf, isBeginning } from './erase.ts'
import { forgetConversation } from './forget-conversation.ts'
import { LeftOut } from './left-out.ts'
import { type ErasureReceipt, finality } from './receipt.ts'
import type { TenantLog } from './tenant-log.ts'

type Counted = Pick<ErasureReceipt, 'sessions' | 'events' | 'deletedSessions'>

/**
 * A session that is written to moves up the list while it is read, past a page that was read already: to the front, and
 * with an import to any place. So the whole list is gone over until it has no news from before the last time. Then what
 * moved since is gone over again, until there is nothing new.
 */
export async function eraseUser(
  log: TenantLog,
  named: string,
  { scrub = true, ...options }: EraseOptions & { scrub?: boolean },
): Promise<ErasureReceipt> {
  // None at all would name the sessions that nobody owns.
  const userId = parseInput(externalId, named, 'userId')
  const names = await namesOf(log, userId)
  const receipt: Counted = { sessions: 0, events: 0, deletedSessions: 0 }
  const left = new LeftOut()
  const pass: Pass = { userId, names, seen: new Map(), since: 0, last: 0, left, options, receipt }
  for (let tries = 1; ; tries++) {
    const began = Math.floor((log.nowMs - slackMs) / 1_000)
    const { isDone, hasStrays } = await erasePass(log, pass)
    if (isDone) break
    if (tries >= passes) {
      throw new HoldfastError('contention', 'they go on writing, or too much moves; erase them again')
    }
    pass.since = tries === 1 || hasStrays ? 0 : began
    pass.last = began
  }
  await forgetParticipants(log, userId, { isLast: left.isEmpty })
  const final = await finality(log, { scrub, isWhole: left.damaged.size === 0 })
  return { ...receipt, ...final, ...left.told() }
}

const passes = 100
/** Clocks of processes that write to one store may differ by so much. */
const slackMs = 5_000

interface Pass {
  userId: string
  names: ReadonlySet<string>
  /** Last seq that was looked at, by session. */
  seen: Map<string, number>
  /** Activity from which on sessions are gone over. */
  since: number
  /** Activity of what was written by the clock since the pass before this one began. */
  last: number
  left: LeftOut
  options: EraseOptions
  receipt: Counted
}

/** `isDone`: nothing can have been missed. */
async function erasePass(log: TenantLog, pass: Pass): Promise<{ isDone: boolean; hasStrays: boolean }> {
  const { owned, news, isOnePage, hasStrays } = await sessionsOf(log, pass)
  let found = false
  for (const sessionId of owned) if (await forget(log, sessionId, pass)) found = true
  for (const one of news) if (await eraseWithin(log, one, pass)) found = true
  // One page is read at one moment, so nothing can have moved past it.
  return { isDone: !found && (isOnePage || news.length === 0), hasStrays }
}

/** True when something was erased. What a held session reads is left for another time, and so is what is damaged. */
async function eraseWithin(log: TenantLog, { sessionId, seq }: News, pass: Pass): Promise<boolean> {
  const { names, receipt, options, left, seen } = pass
  let found = false
  const isLookedAt = await left.unless(sessionId, async () => {
    const seqs = await freeOf(log, sessionId, await authoredBy(log, sessionId, pass), left)
    if (seqs.length === 0) return
    const erased = await eraseEvents(log, sessionId, seqs, options, { left, forgotten: names })
    receipt.sessions += erased.sessions
    receipt.events += erased.events
    found = true
  })
  // It is told as left, and no news until it is written to again.
  if (!isLookedAt) seen.set(sessionId, Math.max(seq, seen.get(sessionId) ?? 0))
  return found
}

/** Forks of an owned session hold its content, so they go with it. Those that went before one that is held are counted. */
async function forget(log: TenantLog, sessionId: string, { userId, receipt, left }: Pass): Promise<boolean> {
  const deleted: DeletedSessions = { sessionIds: [], events: 0 }
  await left.unless(sessionId, async () => {
    const head = (await log.reads.getHead(sessionId))?.state.head
    if (!head) return
    // Before as well: after a crash between the two nothing would lead to the conversation any more.
    const isTheirs = ({ ownerUserId, held }: Head) => ownerUserId === userId && !held
    await forgetConversation(log, head.conversationId, isTheirs)
    await deleteJudged(log, sessionId, { cascade: true, force: true }, deleted)
    await forgetConversation(log, head.conversationId, () => false)
  })
  receipt.deletedSessions += deleted.sessionIds.length
  receipt.events += deleted.events
  return deleted.sessionIds.length > 0
}

/** A session of others that was not looked at as it is now. */
interface News {
  sessionId: string
  seq: number
}

interface Listed {
  owned: string[]
  news: News[]
  isOnePage: boolean
  /** Some of the news say that they are older than the pass before: it missed them, or an import wrote them. */
  hasStrays: boolean
}

async function sessionsOf(log: TenantLog, { userId, since, last, seen, left }: Pass): Promise<Listed> {
  const owned: string[] = []
  const news: News[] = []
  let looked = 0
  let hasStrays = false
  for await (const { key, head, sessionId } of eachHead(log, { index: 'all' })) {
    looked += 1
    if (key < since) break
    if (!head) left.damaged.add(sessionId)
    else if (head.ownerUserId === userId) owned.push(sessionId)
    else if (seen.get(sessionId) !== head.seq) {
      news.push({ sessionId, seq: head.seq })
      hasStrays ||= key < last
    }
  }
  return { owned, news, isOnePage: looked < limits.pageItems, hasStrays }
}

/** Own events only: a fork's prefix is erased where it is held. */
async function authoredBy(log: TenantLog, sessionId: string, { names, seen }: Pass): Promise<number[]> {
  const head = await log.reads.getHead(sessionId)
  if (!head) return []
  const segments = await log.store.readSegments(log.tenantId, sessionId)
  const base = segments.at(-1)?.to ?? 0
  const { seq } = head.state.head
  const seqs: number[] = []
  for await (const event of log.reads.events(sessionId, seen.get(sessionId) ?? base, seq)) {
    if (isBy(event, names)) seqs.push(event.seq)
  }
  seen.set(sessionId, seq)
  return seqs
}

function isBy(event: FoldEvent, names: ReadonlySet<string>): boolean {
  const { type, actor, data } = event
  if (actor.kind === 'user' && actor.id !== undefined && names.has(actor.id)) return true
  if (type === 'question.asked' && names.has((data as EventData<'question.asked'>).addressee ?? ''))
    return true
  if (isBeginning(event)) return names.has((data as { userParticipantId?: string }).userParticipantId ?? '')
  return type === 'message.appended' && names.has((data as EventData<'message.appended'>).author ?? '')
}

/** The user's id, and those of the participants that they were. */
async function namesOf(log: TenantLog, userId: string): Promise<Set<string>> {
  const names = new Set([userId])
  for await (const row of participantsOf(log, userId)) names.add(row.id)
  return names
}

/**
 * Their names go; who they were only with the last they wrote (`isLast`), as nothing else leads from the user to what
 * their participants wrote. Changed by another meanwhile: it is read and forgotten again.
 */
async function forgetParticipants(
  log: TenantLog,
  user: string,
  { isLast }: { isLast: boolean },
): Promise<void> {
  for (let isDone = false; !isDone; ) {
    isDone = true
    for await (const row of participantsOf(log, user)) {
      const { userId, name: _name, ...rest } = JSON.parse(row.body) as JsonObject
      await forgetConversation(log, String(rest.conversationId), () => false)
      const body = JSON.stringify(isLast ? rest : { ...rest, userId })
      const { status } = await log.store.putRecord(log.tenantId, { ...row, body }, row.version)
      if (status === 'conflict') isDone = false
    }
  }
}

async function* participantsOf(log: TenantLog, userId: string): AsyncGenerator<RecordRow> {
  let after: string | undefined
  for (;;) {
    const query = { limit: 500, ...(after !== undefined && { after }) }
    const rows = await log.store.listRecords(log.tenantId, 'participant', query)
    for (const row of rows) if ((JSON.parse(row.body) as JsonObject).userId === userId) yield row
    after = rows.at(-1)?.id
    if (rows.length < 500) return
  }
}
