/**
 * One commit inside a transaction that holds the write lock: first every reason to refuse it, then the writing, which
 * only an engine error can stop, and that rolls everything back. The usual commit (no creation, lease change or key,
 * on a session that this handle knows) is judged by the statement that moves the session's row, and by nothing else.
 */
import { isHoldfastError } from '@holdfast/protocol'
import { haveSameIndices } from '../columns.ts'
import { creationRefusalOf, freeLease, lastSeqOf, leaseAfter, refusalOf } from '../judge.ts'
import type { Commit, CommitOutcome, LeaseRow, Verdict } from '../store.ts'
import { insertAttachment } from './attachments.ts'
import type { Connection } from './connection.ts'
import { closeDrafts } from './drafts.ts'
import { erase } from './erase.ts'
import { insertEvents } from './events.ts'
import { findSources, insertSegments } from './forks.ts'
import { earlierUse, insertKey } from './keys.ts'
import { insertParts } from './parts.ts'
import { insertRefs } from './refs.ts'
import {
  advance,
  type FullSessionRow,
  getFullSession,
  insertSession,
  learn,
  learnAdvance,
  move,
} from './sessions.ts'
import { addTenant, tenantOf } from './tenants.ts'
import { insertUsage } from './usage.ts'

const SELECT_TOMBSTONE = 'SELECT 1 FROM tombstones WHERE tenant = ? AND id = ?'

/** A damaged row fails its own commit: every checksum is looked at before the commit writes anything. Throws when all fail. */
export function commitEach(db: Connection, commits: readonly Commit[], nowMs: number): CommitOutcome[] {
  const outcomes = commits.map((commit) => commitOrFail(db, commit, nowMs))
  const [first] = outcomes
  if (first?.status === 'failed' && outcomes.every(({ status }) => status === 'failed')) throw first.error
  return outcomes
}

function commitOrFail(db: Connection, commit: Commit, nowMs: number): CommitOutcome {
  try {
    return commitOne(db, commit, nowMs)
  } catch (error) {
    if (!isHoldfastError(error, 'store_corrupt')) throw error
    return { status: 'failed', error }
  }
}

function commitOne(db: Connection, commit: Commit, nowMs: number): Verdict {
  const tenant = tenantOf(db, commit.tenantId)
  return commitKnown(db, tenant, commit) ?? commitJudged(db, tenant, commit, nowMs)
}

/** Undefined: not for the short way, or refused for a reason that the long way finds. */
function commitKnown(db: Connection, tenant: number, commit: Commit): Verdict | undefined {
  if (commit.create || commit.lease || commit.key) return undefined
  const known = db.known.session(tenant, commit.sessionId)
  if (known?.seq !== commit.baseSeq || !haveSameIndices(known.columns, commit.head)) return undefined
  const lease = advance(db, tenant, known, commit)
  if (!lease) return undefined
  learnAdvance(known, commit)
  return writeRest(db, tenant, known.session, commit, lease)
}

function commitJudged(db: Connection, tenant: number, commit: Commit, nowMs: number): Verdict {
  const row = getFullSession(db, tenant, commit.sessionId)
  const used = row && earlierUse(db, row.session, commit)
  if (used) return used
  if (commit.create) return row ? { status: 'id_taken' } : create(db, tenant, commit, nowMs)
  if (!row) return { status: 'conflict', seq: 0 }
  return refusalOf(row, commit, nowMs) ?? append(db, tenant, row, commit, nowMs)
}

function create(db: Connection, tenant: number, commit: Commit, nowMs: number): Verdict {
  if (db.get(SELECT_TOMBSTONE, tenant, commit.sessionId)) return { status: 'id_taken' }
  const sources = findSources(db, tenant, commit)
  if (!sources) return { status: 'source_missing' }
  const base = sources.at(-1)?.last ?? 0
  const refusal = creationRefusalOf(base, commit, nowMs)
  if (refusal) return refusal

  const owner = tenant || addTenant(db, commit.tenantId)
  const lease = leaseAfter(freeLease, commit.lease, nowMs)
  const session = insertSession(db, owner, commit, lease)
  learn(db, owner, commit, session)
  insertSegments(db, session, sources)
  return writeRest(db, owner, session, commit, lease)
}

function append(db: Connection, tenant: number, row: FullSessionRow, commit: Commit, nowMs: number): Verdict {
  const lease = leaseAfter(row.lease, commit.lease, nowMs)
  const isUsual = !commit.lease && haveSameIndices(row.columns, commit.head)
  if (!isUsual || !advance(db, tenant, row, commit)) move(db, tenant, row, commit, lease)
  learn(db, tenant, commit, row.session)
  return writeRest(db, tenant, row.session, commit, lease)
}

/** Everything of a commit but the session row, which has moved already. */
function writeRest(
  db: Connection,
  tenant: number,
  session: number,
  commit: Commit,
  lease: LeaseRow,
): Verdict {
  const { sessionId, baseSeq } = commit
  if (commit.erase) erase(db, session, commit.erase)
  if (commit.dropDrafts.length > 0) closeDrafts(db, session, commit.dropDrafts, lastSeqOf(commit))
  insertEvents(db, session, commit)
  insertParts(db, session, commit)
  insertRefs(db, session, commit.refs)
  insertKey(db, session, commit)
  for (const row of commit.usage) insertUsage(db, tenant, sessionId, row)
  for (const { hash, bytes } of commit.attachments) {
    insertAttachment(db, session, { hash, bytes, seq: baseSeq + 1, isFile: true })
  }
  return { status: 'committed', firstSeq: baseSeq + 1, lastSeq: lastSeqOf(commit), lease }
}
