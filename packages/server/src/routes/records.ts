/** What a tenant keeps beside its sessions: one set of routes for each kind. */
import { isDeepStrictEqual } from 'node:util'
import type { PutOptions, StoredRecord } from '@holdfast/core'
import {
  type ErrorCode,
  externalId,
  HoldfastError,
  id,
  pageOf,
  parseInput,
  type RecordKind,
  recordSchemas,
  storedRecord,
} from '@holdfast/protocol'
import type { Reach } from '../access/guard.ts'
import { found, page } from '../answer.ts'
import { after, limit, type Params, word } from '../http/query.ts'
import { type Call, type Route, route } from '../route.ts'
import { paging } from './sessions.ts'

interface Kept {
  kind: Exclude<RecordKind, 'api_key' | 'current_price_book'>
  path: string
  noun: string
  collection: 'agents' | 'personas' | 'seeds' | 'conversations' | 'participants' | 'priceBooks'
  /** Who may read them: what says nothing of any user may be read by keys that are bound to one. */
  reads: Reach
  changes: 'admin' | 'write'
  once?: true
  group?: { name: string; schema: typeof id; about: string }
}

const kept: readonly Kept[] = [
  { kind: 'agent', path: 'agents', noun: 'agent', collection: 'agents', reads: 'own', changes: 'admin' },
  {
    kind: 'persona',
    path: 'personas',
    noun: 'persona',
    collection: 'personas',
    reads: 'own',
    changes: 'admin',
    once: true,
  },
  {
    kind: 'seed',
    path: 'seeds',
    noun: 'seed',
    collection: 'seeds',
    reads: 'tenant',
    changes: 'write',
    once: true,
    group: { name: 'parentSeedId', schema: id, about: 'generations of this seed' },
  },
  {
    kind: 'conversation',
    path: 'conversations',
    noun: 'conversation',
    collection: 'conversations',
    reads: 'tenant',
    changes: 'write',
  },
  {
    kind: 'participant',
    path: 'participants',
    noun: 'participant',
    collection: 'participants',
    reads: 'tenant',
    changes: 'write',
    group: { name: 'conversationId', schema: externalId, about: 'participants of this conversation' },
  },
  {
    kind: 'price_book',
    path: 'price-books',
    noun: 'price book',
    collection: 'priceBooks',
    reads: 'tenant',
    changes: 'admin',
    once: true,
  },
]

export const recordRoutes: readonly Route[] = kept.flatMap(routesOf)

interface AnyRecords {
  put(id: string, body: unknown, options: PutOptions): Promise<StoredRecord<RecordKind>>
  get(id: string): Promise<StoredRecord<RecordKind> | undefined>
  list(options: object): Promise<{ records: StoredRecord<RecordKind>[]; next?: string }>
}

function routesOf({ kind, path, noun, collection, reads, changes, once, group }: Kept): Route[] {
  const stored = storedRecord(recordSchemas[kind])
  const records = ({ holdfast }: Pick<Call, 'holdfast'>) => holdfast[collection] as unknown as AnyRecords
  /** As it was asked for: an earlier try put it there. */
  const standing = async (call: Call): Promise<StoredRecord<RecordKind> | undefined> => {
    const record = await records(call).get(call.params.recordId ?? '')
    const asked = parseInput(recordSchemas[kind], call.body, kind)
    return record && isDeepStrictEqual(record.body, asked) ? record : undefined
  }
  const grouped: Params = group ? { [group.name]: word(group.schema, group.about) } : {}
  const putCodes: readonly ErrorCode[] = once ? ['id_taken'] : ['version_conflict']
  return [
    route({
      method: 'PUT',
      path: `/v1/${path}/{recordId}`,
      summary: once ? `Put a ${noun}, which is never changed` : `Put a ${noun}`,
      scope: changes,
      reach: 'tenant',
      once: 'answer',
      body: { schema: recordSchemas[kind], by: 'log' },
      answer: stored,
      codes: putCodes,
      handle: async (call) => {
        const { expectedVersion } = call.write
        const options = expectedVersion === undefined ? {} : { expectedVersion }
        const record =
          (call.mayBeDone && (await standing(call))) ||
          (await records(call).put(call.params.recordId ?? '', call.body, options))
        return found(record, record.version)
      },
    }),
    route({
      method: 'GET',
      path: `/v1/${path}/{recordId}`,
      summary: `Read a ${noun}`,
      scope: 'read',
      reach: reads,
      answer: stored,
      codes: ['not_found'],
      handle: async (call) => {
        const record = await records(call).get(call.params.recordId ?? '')
        if (record) return found(record, record.version)
        throw new HoldfastError('not_found', `there is no such ${noun}.`)
      },
    }),
    route({
      method: 'GET',
      path: `/v1/${path}`,
      summary: `List by id: every ${noun}`,
      scope: 'read',
      reach: reads,
      query: { ...grouped, limit, after } as Params,
      answer: pageOf(stored),
      handle: async (call) => {
        const query = call.query as Record<string, string | undefined> & { limit?: number }
        const only = group && query[group.name] !== undefined ? { group: query[group.name] } : {}
        const { records: some, next } = await records(call).list({
          ...only,
          ...paging(query.limit, query.after),
        })
        return page(some, next)
      },
    }),
  ]
}
