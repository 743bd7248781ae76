/** Keys of the tenant: in the store itself, or asked of a server by a key with the scope admin. */
import { randomBytes } from 'node:crypto'
import type { KeyInfo, Scope } from '@holdfast/protocol'
import type { Context } from '../context.ts'
import { requirePepper } from './pepper.ts'

export interface AskedKey {
  name: string
  scopes: readonly Scope[]
  userId?: string
  sessionIds?: readonly string[]
  expiresAt?: string
  perMin?: number
}

export interface Keyring {
  create(key: AskedKey): Promise<KeyInfo & { key: string }>
  all(): AsyncIterable<KeyInfo>
  revoke(id: string): Promise<KeyInfo>
}

/** `create`: to make keys with. Only then a store and a secret that are not there are made. */
export async function keyring(context: Context, { create = false } = {}): Promise<Keyring> {
  return (await context.settings()).server === undefined ? ofStore(context, create) : ofServer(context)
}

async function ofServer(context: Context): Promise<Keyring> {
  const client = await context.client()
  return {
    create: (key) => client.createKey(key),
    all: () => client.allKeys(),
    revoke: (id) => client.revokeKey(id),
  }
}

async function ofStore(context: Context, create: boolean): Promise<Keyring> {
  const { Keys } = await import('@holdfast/server')
  const holdfast = await context.open({ create })
  const pepper = create ? requirePepper(context.world, await context.settings()) : noPepper()
  const keys = new Keys({ holdfast, pepper, clock: context.world.now })
  const { tenantId } = holdfast
  return {
    async create(key) {
      const { replayed: _new, ...made } = await keys.create(tenantId, key)
      return made
    },
    async *all() {
      for (let after: string | undefined; ; ) {
        const page = await keys.list(tenantId, after === undefined ? {} : { after })
        yield* page.keys
        if (page.next === undefined) return
        after = page.next
      }
    },
    revoke: (id) => keys.revoke(tenantId, id),
  }
}

/** Keys are found and revoked by their ids, which no secret is needed for: a server that sees one asks for keys. */
function noPepper(): string {
  return randomBytes(32).toString('base64')
}
