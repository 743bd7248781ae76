import type { Page, RecordBody, RecordKind, recordSchemas } from '@holdfast/protocol'
import type { CallOptions, ChangeOptions, Http } from './http.ts'
import { everyItem } from './pages.ts'

/** Kinds of records that a server has routes for, by the word in their path. */
export const recordPaths = {
  agent: 'agents',
  persona: 'personas',
  seed: 'seeds',
  conversation: 'conversations',
  participant: 'participants',
  price_book: 'price-books',
} as const satisfies Partial<Record<RecordKind, string>>

export type ServedRecord = keyof typeof recordPaths

export interface StoredRecord<K extends ServedRecord> {
  id: string
  version: number
  body: RecordBody<K>
}

export interface RecordListOptions extends CallOptions {
  limit?: number
  after?: string
  /** Participants of this conversation. */
  conversationId?: string
  /** Generations of this seed. */
  parentSeedId?: string
}

/** The records of one kind. */
export class RecordsClient<K extends ServedRecord> {
  readonly #http: Http
  readonly #path: string

  constructor(http: Http, kind: K) {
    this.#http = http
    this.#path = `/v1/${recordPaths[kind]}`
  }

  put(
    id: string,
    body: (typeof recordSchemas)[K]['_zod']['input'],
    options?: ChangeOptions,
  ): Promise<StoredRecord<K>> {
    return this.#http.change('PUT', this.#at(id), { body }, options)
  }

  get(id: string, options?: CallOptions): Promise<StoredRecord<K>> {
    return this.#http.get(this.#at(id), undefined, options)
  }

  list({ signal, ...page }: RecordListOptions = {}): Promise<Page<StoredRecord<K>>> {
    return this.#http.getPage(this.#path, page, signal && { signal })
  }

  all(options?: RecordListOptions): AsyncGenerator<StoredRecord<K>, void, void> {
    return everyItem((after) => this.list({ ...options, ...(after !== undefined && { after }) }))
  }

  #at(id: string): string {
    return `${this.#path}/${encodeURIComponent(id)}`
  }
}
