/**
 * One hash over what must be the same on both sides of a copy: where a fork's prefix comes from, every own event to the
 * byte with its commit, the rows of the ledger and their sums, and which files are there.
 */
import type { StoredEvent, UsageRow, UsageTotals } from '../../store/store.ts'
import { filesBrought } from '../erased-files.ts'
import { decodeEvent } from '../event-codec.ts'
import type { LogReads } from '../log-reads.ts'
import { rowsOf } from './commits.ts'
import { UsageReader } from './usage-reader.ts'

/** Stores give the fields of a row in orders of their own. */
const rowFields = [
  'attemptId',
  'seq',
  'at',
  'runId',
  'rootSessionId',
  'ownerUserId',
  'agentId',
  'providerId',
  'model',
  'purpose',
  'status',
  'promptTokens',
  'completionTokens',
  'reasoningTokens',
  'cachedReadTokens',
  'cachedWriteTokens',
  'cachedWriteHourTokens',
  'costMicrocents',
  'costSource',
  'priceBook',
  'estimated',
] as const satisfies readonly (keyof UsageRow)[]

const sumFields = [
  'rows',
  'promptTokens',
  'completionTokens',
  'reasoningTokens',
  'cachedReadTokens',
  'cachedWriteTokens',
  'costMicrocents',
  'costUnknown',
  'costEstimated',
] as const satisfies readonly (keyof UsageTotals)[]

/** Lower-case hex of a SHA-256, over own events through `through`. `look` sees each of them. */
export async function fingerprint(
  reads: LogReads,
  sessionId: string,
  through: number,
  look: (row: StoredEvent) => Promise<void> = async () => {},
): Promise<string> {
  const { store, tenantId } = reads
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256')
  const segments = await store.readSegments(tenantId, sessionId)
  for (const { sessionId: source, from, to } of segments)
    hash.update(`${JSON.stringify([source, from, to])}\n`)
  const usage = new UsageReader(reads, sessionId, 0)
  for await (const row of rowsOf(reads, sessionId, segments.at(-1)?.to ?? 0, through)) {
    const { seq, type, v, at, commitId, body } = row
    hash.update(`${JSON.stringify([seq, type, v, at, commitId])}${body}\n`)
    const files = type === 'note.added' ? filesBrought(decodeEvent(row, reads.upcasters)) : []
    for (const file of files) {
      const bytes = await store.readAttachment(tenantId, sessionId, file)
      hash.update(`${file} ${bytes?.byteLength}\n`)
    }
    for (const one of await usage.through(seq)) hash.update(`${rowText(one)}\n`)
    await look(row)
  }
  const sums = await store.sumUsage(tenantId, { sessionId })
  return hash.update(sumsText(sums)).digest('hex')
}

/** Two rows are the same when this is. */
export function rowText(row: UsageRow): string {
  return JSON.stringify(row, [...rowFields])
}

export function sumsText(sums: UsageTotals): string {
  return JSON.stringify(sums, [...sumFields])
}
