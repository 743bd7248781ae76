/** What a tenant keeps beside its sessions: agents, personas, seeds, conversations, participants, price books. */
import {
  externalId,
  HoldfastError,
  id as idSchema,
  insertOnlyRecords,
  type JsonObject,
  parseInput,
  type RecordBody,
  type RecordKind,
  recordSchemas,
  scanValue,
} from '@holdfast/protocol'
import type { RecordRow } from '../store/store.ts'
import type { Input } from './check-input.ts'
import { pageLimit } from './session-read.ts'
import type { TenantLog } from './tenant-log.ts'

export interface StoredRecord<K extends RecordKind> {
  id: string
  version: number
  body: RecordBody<K>
}

export interface PutOptions {
  /** Refused as `version_conflict` unless the record is at this version; 0: unless there is none. */
  expectedVersion?: number
}

/** The records of one kind. */
export class Records<K extends RecordKind> {
  readonly #log: TenantLog
  readonly #kind: K

  constructor(log: TenantLog, kind: K) {
    this.#log = log
    this.#kind = kind
  }

  /** Without an expected version the last writer wins; seeds, personas and price books are never changed. */
  async put(
    id: string,
    body: Input<(typeof recordSchemas)[K]>,
    options: PutOptions = {},
  ): Promise<StoredRecord<K>> {
    const checked = this.#check(body)
    const key = groupOf(this.#kind, checked as JsonObject)
    const record = { kind: this.#kind, id: recordId(this.#kind, id), key, body: JSON.stringify(checked) }
    const once = insertOnlyRecords.includes(this.#kind)
    let expected = options.expectedVersion ?? (once ? 0 : ((await this.get(id))?.version ?? 0))
    for (;;) {
      const outcome = await this.#log.store.putRecord(this.#log.tenantId, record, expected)
      if (outcome.status === 'written') return { id, version: outcome.version, body: checked }
      if (once) return this.#same(id, record.body)
      if (options.expectedVersion !== undefined) throw conflict(this.#kind, id, outcome.version, expected)
      expected = outcome.version
    }
  }

  async get(id: string): Promise<StoredRecord<K> | undefined> {
    const row = await this.#log.store.readRecord(this.#log.tenantId, this.#kind, id)
    return row && recordOf<K>(row)
  }

  /** By id. `group` is the conversation of participants, the parent of seeds, the tenant of keys and audit entries. */
  async list(options: { group?: string; after?: string; limit?: number } = {}): Promise<{
    records: StoredRecord<K>[]
    next?: string
  }> {
    const limit = pageLimit(options.limit)
    const rows = await this.#log.store.listRecords(this.#log.tenantId, this.#kind, {
      limit: limit + 1,
      ...(options.group !== undefined && { key: options.group }),
      ...(options.after !== undefined && { after: options.after }),
    })
    const records = rows.slice(0, limit).map((row) => recordOf<K>(row))
    const last = records.at(-1)
    return { records, ...(rows.length > limit && last && { next: last.id }) }
  }

  #check(body: unknown): RecordBody<K> {
    scanValue(body, this.#kind === 'price_book' ? 'priceBookBytes' : 'recordBytes', this.#kind)
    return parseInput(
      recordSchemas[this.#kind] as (typeof recordSchemas)['agent'],
      body,
      this.#kind,
    ) as RecordBody<K>
  }

  /** An immutable record put again as it is, is no change. */
  async #same(id: string, body: string): Promise<StoredRecord<K>> {
    const row = await this.#log.store.readRecord(this.#log.tenantId, this.#kind, id)
    if (row?.body === body) return recordOf<K>(row)
    throw new HoldfastError(
      'id_taken',
      `${this.#kind} ${id} exists and is never changed; put a new generation under a new id`,
    )
  }
}

function recordId(kind: RecordKind, id: string): string {
  return parseInput(
    kind === 'agent' || kind === 'conversation' || kind === 'participant' ? externalId : idSchema,
    id,
    'id',
  )
}

function groupOf(kind: RecordKind, body: JsonObject): string | undefined {
  if (kind === 'participant') return body.conversationId as string
  if (kind === 'api_key' || kind === 'audit_entry') return body.tenantId as string
  return kind === 'seed' ? (body.parentSeedId as string | undefined) : undefined
}

function recordOf<K extends RecordKind>({ id, version, body }: RecordRow): StoredRecord<K> {
  return { id, version, body: JSON.parse(body) as RecordBody<K> }
}

function conflict(kind: string, id: string, version: number, expectedVersion: number): HoldfastError {
  return new HoldfastError(
    'version_conflict',
    `${kind} ${id} is at version ${version}, not ${expectedVersion}`,
    {
      details: { version, expectedVersion },
    },
  )
}

/** The body of a record that a session is to keep a copy of. */
export async function getRecordBody(log: TenantLog, kind: RecordKind, id: string): Promise<JsonObject> {
  const row = await log.store.readRecord(log.tenantId, kind, id)
  if (row) return JSON.parse(row.body) as JsonObject
  throw new HoldfastError('not_found', `there is no ${kind} ${id}`)
}
