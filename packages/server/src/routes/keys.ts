/** Keys of the caller's tenant, and tokens to share a session by. */
import {
  externalId,
  HoldfastError,
  id,
  keyInfo,
  newKey,
  pageOf,
  scope,
  shareToken,
  type TenantId,
  time,
} from '@holdfast/protocol'
import { z } from 'zod'
import type { Keys } from '../access/keys.ts'
import { type Answer, found, page, writeHeaders } from '../answer.ts'
import { after, limit } from '../http/query.ts'
import { type Call, route } from '../route.ts'
import { paging } from './sessions.ts'

export const askedKey = z.strictObject({
  name: z.string().min(1).max(512),
  scopes: z.array(scope).min(1).default(['read', 'write', 'answer', 'run']),
  /** Only what belongs to this user. */
  userId: externalId.optional(),
  /** Only these sessions. */
  sessionIds: z.array(id).min(1).max(64).optional(),
  expiresAt: time.optional(),
  /** Requests a minute. */
  perMin: z.int().min(1).optional(),
})

const sharing = z.strictObject({
  scopes: z
    .array(scope.extract(['read', 'answer']))
    .min(1)
    .default(['read']),
  ttlSecs: z.int().min(1).default(3_600),
})

export const keyRoutes = [
  route({
    method: 'POST',
    path: '/v1/keys',
    summary: 'Make a key, which is shown this once',
    scope: 'admin',
    reach: 'tenant',
    once: 'itself',
    body: { schema: askedKey },
    status: 201,
    answer: newKey,
    codes: ['key_conflict'],
    handle: (call) => createKey(call, call.credential.tenantId),
  }),
  route({
    method: 'GET',
    path: '/v1/keys',
    summary: 'List keys',
    scope: 'admin',
    reach: 'tenant',
    query: { limit, after },
    answer: pageOf(keyInfo),
    handle: async (call) => {
      const { keys, next } = await keysOf(call).list(
        call.credential.tenantId,
        paging(call.query.limit, call.query.after),
      )
      return page(keys, next)
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/keys/{keyId}',
    summary: 'Revoke a key; again is no change',
    scope: 'admin',
    reach: 'tenant',
    once: 'answer',
    answer: keyInfo,
    codes: ['not_found'],
    handle: async (call) =>
      found(await keysOf(call).revoke(call.credential.tenantId, call.params.keyId ?? '')),
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/share',
    summary: 'Make a token that reads or answers this session for a while',
    scope: 'write',
    reach: 'session',
    once: 'answer',
    body: { schema: sharing, optional: true },
    status: 201,
    answer: shareToken,
    handle: async (call) => {
      const { scopes, ttlSecs } = call.body ?? sharing.parse({})
      await call.session.events({ limit: 1 })
      for (const wanted of scopes) {
        if (!call.credential.scopes.has(wanted))
          throw new HoldfastError('forbidden', `the key lacks the scope \`${wanted}\` itself.`)
      }
      return { status: 201, json: keysOf(call).share(call.credential, call.session.id, { scopes, ttlSecs }) }
    },
  }),
]

/** Again with the same idempotency key: the same key. */
export async function createKey(
  call: Call<unknown, z.output<typeof askedKey>>,
  tenant: TenantId,
): Promise<Answer> {
  const { key } = call.write
  const once = key === undefined ? undefined : { callerId: call.credential.keyId ?? '', key }
  const { replayed, ...made } = await keysOf(call).create(tenant, call.body, once)
  return { status: 201, json: made, headers: writeHeaders(replayed) }
}

function keysOf({ service }: Pick<Call, 'service'>): Keys {
  if (service.keys) return service.keys
  throw new HoldfastError('forbidden', 'this server has no keys: start it with a pepper.')
}
