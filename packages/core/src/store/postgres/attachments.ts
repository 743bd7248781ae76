/** Bodies by their hash: attachments, and the channels of checkpoints. */
import type { TenantId } from '@holdfast/protocol'
import { corrupt, crcOf } from '../checksum.ts'
import type { AttachmentPiece, ByteRange, Commit } from '../store.ts'
import { bytesArray, int4Array, int8Array, textArray } from './arrays.ts'
import type { Step } from './flush.ts'
import { marksOf } from './sessions.ts'
import type { Transaction, Transactions } from './transactions.ts'

/** One that is there already stays, with the seq that it first came with. */
const INSERT_FILES = `
  INSERT INTO @attachments (tenant, session, hash, seq, is_file, crc, bytes)
  SELECT $1, u.session, u.hash, u.first, true, u.crc, u.bytes
  FROM unnest($2::text[], $3::int4[], $4::text[], $5::int4[], $6::int8[], $7::bytea[])
    AS u (session, seq, hash, first, crc, bytes)
  WHERE (
    SELECT e.xmin FROM @events e WHERE e.tenant = $1 AND e.session = u.session AND e.seq = u.seq
  ) = pg_current_xact_id()::xid
  ON CONFLICT (tenant, session, hash) DO UPDATE SET is_file = true`

const INSERT_CHANNELS = `
  INSERT INTO @attachments (tenant, session, hash, seq, is_file, crc, bytes)
  SELECT $1, $2, u.hash, $3, false, u.crc, u.bytes FROM unnest($4::text[], $5::int8[], $6::bytea[]) AS u (hash, crc, bytes)
  ON CONFLICT DO NOTHING`

const FORGET_FILES = `
  UPDATE @attachments SET is_file = false WHERE tenant = $1 AND session = $2 AND hash = ANY($3::text[])`

// Forks that reach the erased seqs are not asked: their checkpoints go with their own erasure.
const DROP_UNNAMED = `
  DELETE FROM @attachments WHERE tenant = $1 AND session = $2 AND NOT is_file AND hash NOT IN (
    SELECT pair ->> 1 FROM (
      SELECT $2 AS session UNION ALL SELECT session FROM @segments WHERE tenant = $1 AND source = $2 AND last < $3
    ) reader, LATERAL (
      SELECT channels FROM @checkpoints WHERE tenant = $1 AND session = reader.session OFFSET 0
    ) c, json_array_elements(c.channels::json) AS pair
  )`

const STRETCHES = `
  WITH own AS (SELECT base, seq FROM @sessions WHERE tenant = $1 AND session = $2),
  stretches AS (
    SELECT source, first, last FROM @segments WHERE tenant = $1 AND session = $2
    UNION ALL SELECT $2, base + 1, seq FROM own
  )`

const WITHIN = 'tenant = $1 AND session = stretches.source AND hash = $3 AND seq <= stretches.last'

const SELECT_ATTACHMENT = `${STRETCHES}
  SELECT a.crc, a.bytes FROM own, stretches, LATERAL (
    SELECT crc, bytes FROM @attachments WHERE ${WITHIN} OFFSET 0
  ) a
  ORDER BY stretches.first LIMIT 1`

// Costs what it gives: the column lies outside its row, uncompressed.
const SELECT_PIECE = `${STRETCHES}
  SELECT a.piece, a.size FROM own, stretches, LATERAL (
    SELECT substring(bytes FROM $4::int4 FOR $5::int4) AS piece, octet_length(bytes) AS size
    FROM @attachments WHERE ${WITHIN} OFFSET 0
  ) a
  ORDER BY stretches.first LIMIT 1`

const SELECT_HELD = `${STRETCHES}
  SELECT wanted.hash FROM unnest($3::text[]) AS wanted (hash), LATERAL (
    SELECT 1 FROM stretches JOIN @attachments a
      ON a.tenant = $1 AND a.session = stretches.source AND a.hash = wanted.hash AND a.seq <= stretches.last
    LIMIT 1
  ) held`

export function attachmentsStep(tenant: TenantId, commits: readonly Commit[]): Step | undefined {
  const rows = commits.flatMap((commit) => {
    const byHash = new Map(commit.attachments.map(({ hash, bytes }) => [hash, bytes]))
    return [...byHash].map(([hash, bytes]) => ({ commit, hash, bytes }))
  })
  if (rows.length === 0) return undefined
  const values = [
    tenant,
    ...marksOf(rows.map(({ commit }) => commit)),
    textArray(rows.map(({ hash }) => hash)),
    int4Array(rows.map(({ commit }) => commit.baseSeq + 1)),
    int8Array(rows.map(({ bytes }) => crcOf(bytes))),
    bytesArray(rows.map(({ bytes }) => bytes)),
  ]
  return { sql: INSERT_FILES, values }
}

/** Bodies of a checkpoint, held from `seq` on. */
export function insertChannels(
  tx: Transaction,
  tenant: TenantId,
  { sessionId, seq }: { sessionId: string; seq: number },
  bodies: readonly { hash: string; body: string }[],
): void {
  const byHash = new Map(bodies.map(({ hash, body }) => [hash, Buffer.from(body)]))
  const values = [
    tenant,
    sessionId,
    seq,
    textArray([...byHash.keys()]),
    int8Array([...byHash.values()].map((bytes) => crcOf(bytes))),
    bytesArray([...byHash.values()]),
  ]
  tx.send({ sql: INSERT_CHANNELS, values })
}

/** Files that no event names any more go, unless a checkpoint has the same bytes, and so do bodies of no checkpoint. */
export function dropAttachments(
  tx: Transaction,
  tenant: TenantId,
  sessionId: string,
  { hashes, from }: { hashes: readonly string[]; from: number },
): void {
  if (hashes.length > 0) tx.send({ sql: FORGET_FILES, values: [tenant, sessionId, textArray(hashes)] })
  tx.send({ sql: DROP_UNNAMED, values: [tenant, sessionId, from] })
}

/** `seq` of an attachment is the first of the commit that brought it: a fork from there on may read it. */
export async function readAttachment(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  hash: string,
): Promise<Uint8Array | undefined> {
  const [row] = await db.read(tenant, SELECT_ATTACHMENT, tenant, sessionId, hash)
  if (!row) return undefined
  const bytes = bytesOf(row[1])
  if (crcOf(bytes) !== Number(row[0])) throw corrupt(`Attachment ${hash}`, sessionId, { hash })
  return bytes
}

export async function readAttachmentPiece(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  { hash, offset, length }: ByteRange & { hash: string },
): Promise<AttachmentPiece | undefined> {
  const [row] = await db.read(tenant, SELECT_PIECE, tenant, sessionId, hash, offset + 1, length)
  return row && { bytes: bytesOf(row[0]), size: Number(row[1]) }
}

/** Which of these the session holds. */
export async function heldOf(
  tx: Transaction,
  tenant: TenantId,
  sessionId: string,
  hashes: readonly string[],
): Promise<Set<string>> {
  const rows = await tx.all(SELECT_HELD, tenant, sessionId, textArray(hashes))
  return new Set(rows.map(([hash]) => hash as string))
}

/** Postgres writes bytes as `\x` and hexadecimal digits. */
export function bytesOf(text: string): Uint8Array {
  const { buffer, byteOffset, byteLength } = Buffer.from(text.slice(2), 'hex')
  return new Uint8Array(buffer, byteOffset, byteLength)
}
