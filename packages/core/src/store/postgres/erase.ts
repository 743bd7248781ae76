/** Erasing events: their bodies change, and what was derived from the log from the lowest of them on goes. */
import type { TenantId } from '@holdfast/protocol'
import { crcOfEvent } from '../checksum.ts'
import { lastSeqOf } from '../judge.ts'
import type { Commit } from '../store.ts'
import { bytesArray, int4Array, int8Array, textArray } from './arrays.ts'
import { dropAttachments } from './attachments.ts'
import { dropCheckpoints } from './checkpoints.ts'
import { dropAllDrafts } from './drafts.ts'
import type { Row } from './driver.ts'
import { hashAside } from './events.ts'
import { dropFromIndex } from './search.ts'
import type { Transaction } from './transactions.ts'

type Erasure = NonNullable<Commit['erase']>

const SELECT_EVENTS = `
  SELECT e.seq, e.v, e.type, e.at, e.commit_id, e.aside, coalesce(e.body, (
    SELECT b.body FROM @bodies b WHERE b.tenant = $1 AND b.session = $2 AND b.hash = e.aside
  ))
  FROM @events e WHERE e.tenant = $1 AND e.session = $2 AND e.seq = ANY($3::int4[])`

const INSERT_BODIES = `
  INSERT INTO @bodies (tenant, session, hash, body)
  SELECT $1, $2, u.hash, u.body FROM unnest($3::bytea[], $4::text[]) AS u (hash, body) ON CONFLICT DO NOTHING`

const REPLACE_BODIES = `
  UPDATE @events e SET crc = u.crc, bytes = u.bytes, aside = u.aside, body = u.body
  FROM unnest($3::int4[], $4::int8[], $5::int4[], $6::bytea[], $7::text[]) AS u (seq, crc, bytes, aside, body)
  WHERE e.tenant = $1 AND e.session = $2 AND e.seq = ANY($3::int4[]) AND e.seq = u.seq`

const DROP_UNNAMED_BODIES = `
  DELETE FROM @bodies b WHERE b.tenant = $1 AND b.session = $2 AND b.hash = ANY($3::bytea[]) AND (
    SELECT 1 FROM @events e WHERE e.tenant = $1 AND e.session = $2 AND e.aside = b.hash LIMIT 1
  ) IS NULL`

const NOTE_ERASED = 'UPDATE @sessions SET erased = $3 WHERE tenant = $1 AND session = $2'

const drops: readonly string[] = [
  'DELETE FROM @parts WHERE tenant = $1 AND session = $2 AND seq >= $3',
  'DELETE FROM @waypoints WHERE tenant = $1 AND session = $2 AND seq >= $3',
  'DELETE FROM @refs WHERE tenant = $1 AND session = $2 AND seq >= $3',
]

/** Events fetched at once: each may have megabytes. */
const eventsAtOnce = 16

export async function erase(
  tx: Transaction,
  tenant: TenantId,
  commit: Commit,
  erasure: Erasure,
): Promise<void> {
  const { sessionId } = commit
  const { seqs, erasedBody, attachments = [] } = erasure
  if (seqs.length === 0) return
  for (let start = 0; start < seqs.length; start += eventsAtOnce) {
    await eraseSome(tx, tenant, sessionId, seqs.slice(start, start + eventsAtOnce), erasedBody)
  }
  const lowest = seqs.reduce((least, seq) => Math.min(least, seq))
  for (const sql of drops) tx.send({ sql, values: [tenant, sessionId, lowest] })
  tx.send({ sql: NOTE_ERASED, values: [tenant, sessionId, lastSeqOf(commit)] })
  dropCheckpoints(tx, tenant, sessionId, lowest)
  dropAttachments(tx, tenant, sessionId, { hashes: attachments, from: lowest })
  dropAllDrafts(tx, tenant, sessionId)
  dropFromIndex(tx, tenant, sessionId, seqs)
}

/** Does not look at the checksums: what is damaged can be erased too. */
async function eraseSome(
  tx: Transaction,
  tenant: TenantId,
  sessionId: string,
  seqs: readonly number[],
  erasedBody: Erasure['erasedBody'],
): Promise<void> {
  const rows = await tx.all(SELECT_EVENTS, tenant, sessionId, int4Array(seqs))
  if (rows.length === 0) return
  const erased = rows.map((row) => erasedOf(row, erasedBody))
  const beside = erased.filter(({ aside }) => aside)
  tx.send({
    sql: INSERT_BODIES,
    values: [
      tenant,
      sessionId,
      bytesArray(beside.map(({ aside }) => aside)),
      textArray(beside.map(({ body }) => body)),
    ],
  })
  tx.send({
    sql: REPLACE_BODIES,
    values: [
      tenant,
      sessionId,
      int4Array(erased.map(({ seq }) => seq)),
      int8Array(erased.map(({ crc }) => crc)),
      int4Array(erased.map(({ body }) => Buffer.byteLength(body))),
      bytesArray(erased.map(({ aside }) => aside)),
      textArray(erased.map(({ aside, body }) => (aside ? null : body))),
    ],
  })
  const before = rows.flatMap((row) => (row[5] === null ? [] : [Buffer.from(row[5].slice(2), 'hex')]))
  if (before.length > 0)
    tx.send({ sql: DROP_UNNAMED_BODIES, values: [tenant, sessionId, bytesArray(before)] })
}

function erasedOf(
  [seq, v, type, at, commitId, , was]: Row,
  erasedBody: Erasure['erasedBody'],
): { seq: number; crc: number; body: string; aside: Uint8Array | null } {
  const event = {
    seq: Number(seq),
    type,
    v: Number(v),
    at,
    commitId,
    body: typeof was === 'string' ? was : 'null',
  }
  const body = erasedBody({ ...event })
  const crc = crcOfEvent(event.seq, commitId, { ...event, body })
  return { seq: event.seq, crc, body, aside: hashAside(body) }
}
