/** The operator's side: tenants, their first keys; and for each tenant what was done in it. */
import { auditEntry, newKey, pageOf, recordSchemas, tenantId, tenantInfo } from '@holdfast/protocol'
import { requireOther } from '../access/tenants.ts'
import { found, page } from '../answer.ts'
import { after, limit } from '../http/query.ts'
import { route } from '../route.ts'
import { askedKey, createKey } from './keys.ts'
import { paging } from './sessions.ts'

const operated = { scope: 'admin', reach: 'operator' } as const

export const tenantRoutes = [
  route({
    ...operated,
    method: 'GET',
    path: '/v1/tenants',
    summary: 'List the tenants that have an entry',
    query: { limit, after },
    answer: pageOf(tenantInfo),
    handle: async ({ service, query }) => {
      const { tenants, next } = await service.tenants.list(paging(query.limit, query.after))
      return page(tenants, next)
    },
  }),
  route({
    ...operated,
    method: 'PUT',
    path: '/v1/tenants/{tenantId}',
    summary: 'Name a tenant, and say what it may use',
    once: 'answer',
    body: { schema: recordSchemas.tenant },
    answer: tenantInfo,
    handle: async ({ service, params, body }) =>
      found(await service.tenants.put(tenantId(params.tenantId ?? ''), body)),
  }),
  route({
    ...operated,
    method: 'POST',
    path: '/v1/tenants/{tenantId}/keys',
    summary: 'Make a key of a tenant, which is shown this once',
    once: 'itself',
    body: { schema: askedKey },
    status: 201,
    answer: newKey,
    codes: ['key_conflict'],
    handle: async (call) => {
      const tenant = tenantId(call.params.tenantId ?? '')
      requireOther(tenant)
      return createKey(call, tenant)
    },
  }),
  route({
    method: 'GET',
    path: '/v1/audit',
    summary: 'What was done in the tenant by administration, oldest first',
    scope: 'admin',
    reach: 'tenant',
    query: { limit, after },
    answer: pageOf(auditEntry),
    handle: async ({ service, credential, query }) => {
      const { entries, next } = await service.audit.list(
        credential.tenantId,
        paging(query.limit, query.after),
      )
      return page(entries, next)
    },
  }),
]
