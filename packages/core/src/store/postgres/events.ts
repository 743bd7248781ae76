/**
 * Event rows. A body from `limits.asideBytes` on lies in a table beside, by its hash, so that a page of events is read
 * without its large ones; equal bodies of a session share one row there.
 */
import { isHoldfastError, limits, type TenantId } from '@holdfast/protocol'
import { corrupt, crcOfEvent } from '../checksum.ts'
import { sha256 } from '../sha256.ts'
import type { Commit, EventRange, Segment, StoredEvent } from '../store.ts'
import { bytesArray, int4Array, int8Array, textArray } from './arrays.ts'
import { most } from './bounds.ts'
import type { Row, SqlValue } from './driver.ts'
import type { Answer, Step } from './flush.ts'
import { readSegments } from './forks.ts'
import { marksOf } from './sessions.ts'
import type { Transactions } from './transactions.ts'

const INSERT_BODIES = `
  INSERT INTO @bodies (tenant, session, hash, body)
  SELECT $1, u.session, u.hash, u.body
  FROM unnest($2::text[], $3::int4[], $4::bytea[], $5::text[]) AS u (session, seq, hash, body)
  WHERE (
    SELECT e.xmin FROM @events e WHERE e.tenant = $1 AND e.session = u.session AND e.seq = u.seq
  ) = pg_current_xact_id()::xid
  ON CONFLICT DO NOTHING`

const SELECT_OWN = 'SELECT base, seq FROM @sessions WHERE tenant = $1 AND session = $2'

const SELECT_FORWARD = `
  SELECT seq, v, crc, bytes, type, at, commit_id, aside, body FROM @events
  WHERE tenant = $1 AND session = $2 AND seq BETWEEN $3 AND $4 ORDER BY seq LIMIT $5`

const SELECT_BACKWARD = `
  SELECT seq, v, crc, bytes, type, at, commit_id, aside, body FROM @events
  WHERE tenant = $1 AND session = $2 AND seq BETWEEN $3 AND $4 ORDER BY seq DESC LIMIT $5`

const SELECT_BODIES = `
  SELECT u.n, b.body
  FROM unnest($2::text[], $3::bytea[]) WITH ORDINALITY AS u (session, hash, n), LATERAL (
    SELECT body FROM @bodies WHERE tenant = $1 AND session = u.session AND hash = u.hash
  ) b`

/** Until what looks damaged is damaged. */
const readTries = 5

/** Rows fetched by one statement: without the bodies kept aside they are at most 2 MiB. */
const rowsAtOnce = 256

/** One event row on its way in. */
interface EventColumns {
  seq: number
  v: number
  crc: number
  bytes: number
  type: string
  at: string
  commitId: string
  aside: Uint8Array | null
  body: string | null
}

export function columnsOf({ events, baseSeq, commitId }: Commit): EventColumns[] {
  return events.map((event, index) => {
    const seq = baseSeq + 1 + index
    const { type, v, at, body } = event
    const aside = hashAside(body)
    const crc = crcOfEvent(seq, commitId, event)
    return {
      seq,
      v,
      crc,
      bytes: Buffer.byteLength(body),
      type,
      at,
      commitId,
      aside,
      body: aside ? null : body,
    }
  })
}

/** Of one row, in the order of its columns. */
export function valuesOfEvent(row: EventColumns): SqlValue[] {
  const { seq, v, crc, bytes, type, at, commitId, aside, body } = row
  return [seq, v, crc, bytes, type, at, commitId, aside, body]
}

export function valuesOfEvents(rows: readonly EventColumns[]): SqlValue[] {
  return [
    int4Array(rows.map(({ seq }) => seq)),
    int4Array(rows.map(({ v }) => v)),
    int8Array(rows.map(({ crc }) => crc)),
    int4Array(rows.map(({ bytes }) => bytes)),
    textArray(rows.map(({ type }) => type)),
    textArray(rows.map(({ at }) => at)),
    textArray(rows.map(({ commitId }) => commitId)),
    bytesArray(rows.map(({ aside }) => aside)),
    textArray(rows.map(({ body }) => body)),
  ]
}

/** The hash by which a large body lies beside; null for one that lies in its row. */
export function hashAside(body: string): Uint8Array | null {
  return mayLieAside(body) && Buffer.byteLength(body) >= limits.asideBytes ? sha256(body) : null
}

/** False for nearly all, without counting their bytes. */
export function mayLieAside(body: string): boolean {
  return body.length * 3 >= limits.asideBytes
}

/** Large bodies of commits that were written. */
export function bodiesStep(tenant: TenantId, commits: readonly Commit[]): Step | undefined {
  const large = commits.flatMap((commit) =>
    commit.events.flatMap(({ body }) => {
      const hash = hashAside(body)
      return hash ? [{ commit, hash, body }] : []
    }),
  )
  if (large.length === 0) return undefined
  const marks = marksOf(large.map(({ commit }) => commit))
  const hashes = bytesArray(large.map(({ hash }) => hash))
  return { sql: INSERT_BODIES, values: [tenant, ...marks, hashes, textArray(large.map(({ body }) => body))] }
}

/** The rows of a session that is no fork come with the first answer; a page without large bodies is one round trip. */
export async function readEvents(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  range: EventRange,
): Promise<StoredEvent[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      const page = await readPage(db, tenant, sessionId, range)
      return page ? await page.finish() : []
    } catch (error) {
      // While it was read the session may have been deleted, or an event of it erased: damage is there again.
      if (!isHoldfastError(error, 'store_corrupt') || tries >= readTries) throw error
    }
  }
}

async function readPage(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  range: EventRange,
): Promise<Page | undefined> {
  const page = new Page(db, tenant, sessionId, range)
  const whole = { sessionId, from: page.low, to: page.high }
  const [own, first] = (await db.readAll(tenant, [
    { sql: SELECT_OWN, values: [tenant, sessionId] },
    page.stepFor(whole),
  ])) as [Answer, Answer]
  const [row] = own.rows
  if (!row) return undefined
  const base = Number(row[0])
  // Rows that were written between the two statements are of the log as well.
  const seq = first.rows.reduce((most, [found]) => Math.max(most, Number(found)), Number(row[1]))
  if (base === 0 || page.low > base)
    await page.readStretch({ ...whole, to: Math.min(page.high, seq) }, first.rows)
  else
    await page.readStretches([
      ...(await readSegments(db, tenant, sessionId)),
      { sessionId, from: base + 1, to: seq },
    ])
  return page
}

/** Events gathered up to the limits of a range. */
class Page {
  readonly low: number
  readonly high: number
  readonly #db: Transactions
  readonly #tenant: TenantId
  readonly #sessionId: string
  readonly #range: EventRange
  readonly #limit: number
  readonly #found: { seq: number; source: string; row: Row }[] = []
  #bytes = 0
  #isFull = false

  constructor(db: Transactions, tenant: TenantId, sessionId: string, range: EventRange) {
    this.#db = db
    this.#tenant = tenant
    this.#sessionId = sessionId
    this.#range = range
    this.#limit = Math.min(Math.max(range.limit, 0), most)
    this.low = Math.min(Math.max((range.after ?? 0) + 1, 1), most)
    this.high = Math.min(range.through ?? most, most)
  }

  get #isForward(): boolean {
    return this.#range.direction === 'forward'
  }

  /** The next rows of a stretch. */
  stepFor({ sessionId, from, to }: Segment): Step {
    const wanted = Math.min(this.#limit - this.#found.length, rowsAtOnce)
    const sql = this.#isForward ? SELECT_FORWARD : SELECT_BACKWARD
    return { sql, values: [this.#tenant, sessionId, from, to, wanted] }
  }

  async readStretches(stretches: readonly Segment[]): Promise<void> {
    for (const { sessionId, from, to } of this.#isForward ? stretches : stretches.toReversed()) {
      const part = { sessionId, from: Math.max(from, this.low), to: Math.min(to, this.high) }
      if (part.from <= part.to && !this.#isFull) await this.readStretch(part, await this.#fetch(part))
    }
  }

  async readStretch(stretch: Segment, rows: readonly Row[]): Promise<void> {
    let left = stretch
    let fetched = rows
    while (!this.#isFull && left.from <= left.to) {
      const due = Math.min(this.#limit - this.#found.length, rowsAtOnce, left.to - left.from + 1)
      for (let index = 0; index < due && !this.#isFull; index += 1) {
        this.#add(this.#isForward ? left.from + index : left.to - index, stretch.sessionId, fetched[index])
      }
      left = this.#isForward ? { ...left, from: left.from + due } : { ...left, to: left.to - due }
      if (this.#found.length >= this.#limit) this.#isFull = true
      if (!this.#isFull && left.from <= left.to) fetched = await this.#fetch(left)
    }
  }

  async #fetch(stretch: Segment): Promise<Row[]> {
    const [answer] = await this.#db.readAll(this.#tenant, [this.stepFor(stretch)])
    return (answer as Answer).rows
  }

  /** Takes the row that must be the event `seq`, unless it does not fit any more. */
  #add(seq: number, source: string, row: Row | undefined): void {
    if (Number(row?.[0]) !== seq) throw corrupt(`Event ${seq}`, this.#sessionId, { seq })
    this.#bytes += Number(row?.[3])
    this.#isFull = this.#bytes > this.#range.maxBytes && this.#found.length > 0
    if (!this.#isFull) this.#found.push({ seq, source, row: row as Row })
  }

  /** With the bodies that lie beside, each as it was written. */
  async finish(): Promise<StoredEvent[]> {
    const beside = this.#found.filter(({ row }) => row[7] !== null)
    const bodies = beside.length > 0 ? await this.#bodiesOf(beside) : new Map<Row, string>()
    return this.#found.map(({ seq, row }) => this.#eventOf(seq, row, row[8] ?? bodies.get(row)))
  }

  async #bodiesOf(beside: readonly { source: string; row: Row }[]): Promise<Map<Row, string>> {
    const sources = textArray(beside.map(({ source }) => source))
    const hashes = bytesArray(beside.map(({ row }) => Buffer.from(row[7].slice(2), 'hex')))
    const rows = await this.#db.read(this.#tenant, SELECT_BODIES, this.#tenant, sources, hashes)
    return new Map(rows.map(([n, body]) => [beside[Number(n) - 1]?.row as Row, body as string]))
  }

  #eventOf(seq: number, [, v, crc, , type, at, commitId]: Row, body: string | undefined): StoredEvent {
    const event = { seq, type, v: Number(v), at, body: body ?? '', commitId }
    if (body === undefined || Number(crc) !== crcOfEvent(seq, commitId, event)) {
      throw corrupt(`Event ${seq}`, this.#sessionId, { seq })
    }
    return event
  }
}
