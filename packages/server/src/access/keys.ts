/**
 * Keys that callers are let in by. A key is 256 random bits, shown once; what is kept is its HMAC under the server's pepper,
 * so that neither a copy of the store nor a guess gives one back. Keys of all tenants are kept under a tenant of its own.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Holdfast, Records } from '@holdfast/core'
import {
  HoldfastError,
  isHoldfastError,
  type KeyInfo,
  type RecordBody,
  type Scope,
  type TenantId,
  tenantId,
  toMs,
  toTime,
} from '@holdfast/protocol'
import { checkServerLimit } from '../limits.ts'
import { type Credential, serverTenant, unauthenticated } from './credential.ts'
import { openToken, sealToken } from './share-token.ts'
import { requireOther, Tenants } from './tenants.ts'

export interface NewKey {
  name: string
  scopes: readonly Scope[]
  userId?: string | undefined
  sessionIds?: readonly string[] | undefined
  expiresAt?: string | undefined
  /** Requests a minute. */
  perMin?: number | undefined
}

export interface KeysOptions {
  holdfast: Holdfast
  /** At least 32 bytes; with another one no key is known. */
  pepper: string
  clock: () => number
  /** How long a key that was looked up is believed: so long another process's revocation may take to be seen. */
  believedMs?: number
  random?: (bytes: number) => Buffer
}

interface Believed {
  credential: Credential
  untilMs: number
}

const believedMost = 10_000

export class Keys {
  readonly #records: Records<'api_key'>
  readonly #tenants: Tenants
  readonly #pepper: string
  readonly #clock: () => number
  readonly #believedMs: number
  readonly #random: (bytes: number) => Buffer
  /** By digest. */
  readonly #believed = new Map<string, Believed>()

  constructor({ holdfast, pepper, clock, believedMs = 5_000, random = randomBytes }: KeysOptions) {
    if (Buffer.byteLength(pepper) < 32)
      throw new HoldfastError(
        'invalid_input',
        'pepper: give at least 32 bytes, such as `openssl rand -base64 32` prints.',
      )
    this.#records = holdfast.forTenant(serverTenant).apiKeys
    this.#tenants = new Tenants(holdfast)
    this.#pepper = pepper
    this.#clock = clock
    this.#believedMs = believedMs
    this.#random = random
  }

  /** Who a bearer is; throws `unauthenticated`. */
  async credentialOf(bearer: string): Promise<Credential> {
    if (/^hf_[\w-]{43}$/.test(bearer)) return this.#byDigest(this.#digest(bearer))
    if (bearer.startsWith('hfs_')) return this.#byToken(bearer)
    throw unauthenticated()
  }

  /**
   * `key` is what callers give; it cannot be had again, but by the same request: with `once`, the caller's idempotency key, it
   * is made from the server's secret. Throws `key_conflict` when that was used for another key.
   */
  async create(
    tenant: TenantId,
    { scopes, ...asked }: NewKey,
    once?: { callerId: string; key: string },
  ): Promise<KeyInfo & { key: string; replayed: boolean }> {
    requireOther(tenant)
    const secret = once
      ? hmac(this.#pepper, JSON.stringify(['made', tenant, once.callerId, once.key]))
      : this.#random(32)
    const key = `hf_${secret.toString('base64url')}`
    const digest = this.#digest(key)
    const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
    const createdAt = toTime(this.#clock())
    const body = { ...given, scopes: [...new Set(scopes)], digest, tenantId: tenant, createdAt }
    try {
      const record = await this.#records.put(idOf(digest), body as never, { expectedVersion: 0 })
      return { ...infoOf(record), key, replayed: false }
    } catch (error) {
      const before = await this.#records.get(idOf(digest))
      if (!before || !isHoldfastError(error, 'version_conflict')) throw error
      return { ...infoOf(sameAs(before, body)), key, replayed: true }
    }
  }

  async list(
    tenant: TenantId,
    options: { limit?: number; after?: string },
  ): Promise<{ keys: KeyInfo[]; next?: string }> {
    const { records, next } = await this.#records.list({ ...options, group: tenant })
    return { keys: records.map(infoOf), ...(next !== undefined && { next }) }
  }

  /** From now on; again is no change. */
  async revoke(tenant: TenantId, keyId: string): Promise<KeyInfo> {
    const record = await this.#records.get(keyId)
    if (record?.body.tenantId !== tenant) throw new HoldfastError('not_found', 'there is no such key.')
    this.#believed.delete(record.body.digest)
    if (record.body.revokedAt !== undefined) return infoOf(record)
    const body = { ...record.body, revokedAt: toTime(this.#clock()) }
    return infoOf(await this.#records.put(keyId, body, { expectedVersion: record.version }))
  }

  /** A token for one session; it dies with the key that made it. */
  share(
    { keyId, tenantId: tenant }: Credential,
    sessionId: string,
    { scopes, ttlSecs }: { scopes: readonly ('read' | 'answer')[]; ttlSecs: number },
  ): { token: string; expiresAt: string } {
    checkServerLimit('tokenSecs', ttlSecs, 'ttlSecs')
    const expiresAt = toTime(this.#clock() + ttlSecs * 1_000)
    const token = sealToken(this.#pepper, {
      tenant,
      sessionId,
      scopes: [...scopes],
      expiresAt,
      keyId: keyId ?? '',
    })
    return { token, expiresAt }
  }

  async #byToken(bearer: string): Promise<Credential> {
    const token = openToken(this.#pepper, bearer)
    if (!token || toMs(token.expiresAt) <= this.#clock()) throw unauthenticated()
    const record = await this.#records.get(token.keyId)
    if (!record || !this.#isGood(record.body)) throw unauthenticated()
    return {
      tenantId: tenantId(token.tenant),
      scopes: new Set(token.scopes),
      sessionIds: new Set([token.sessionId]),
      ...(record.body.userId !== undefined && { userId: record.body.userId }),
      keyId: token.keyId,
      ...(await this.#boundsOf(record.body)),
      actor: record.body.userId === undefined ? { kind: 'host' } : { kind: 'user', id: record.body.userId },
    }
  }

  async #byDigest(digest: string): Promise<Credential> {
    const nowMs = this.#clock()
    const believed = this.#believed.get(digest)
    if (believed && nowMs < believed.untilMs) return believed.credential
    this.#believed.delete(digest)
    const record = await this.#records.get(idOf(digest))
    if (!record || !isEqual(record.body.digest, digest) || !this.#isGood(record.body)) throw unauthenticated()
    const credential = { ...credentialOf(record), ...(await this.#boundsOf(record.body)) }
    this.#believe(digest, { credential, untilMs: Math.min(nowMs + this.#believedMs, expiryOf(record.body)) })
    return credential
  }

  async #boundsOf({ tenantId: tenant, perMin }: RecordBody<'api_key'>): Promise<Partial<Credential>> {
    const quotas = (await this.#tenants.get(tenant))?.quotas
    return { ...(perMin !== undefined && { perMin }), ...(quotas && { quotas }) }
  }

  #believe(digest: string, believed: Believed): void {
    const [oldest] = this.#believed.keys()
    if (this.#believed.size >= believedMost && oldest !== undefined) this.#believed.delete(oldest)
    this.#believed.set(digest, believed)
  }

  #isGood(body: RecordBody<'api_key'>): boolean {
    return body.revokedAt === undefined && this.#clock() < expiryOf(body)
  }

  #digest(key: string): string {
    return hmac(this.#pepper, key).toString('hex')
  }
}

type KeyRecord = { id: string; body: RecordBody<'api_key'> }

function hmac(pepper: string, text: string): Buffer {
  return createHmac('sha256', pepper).update(text).digest()
}

/** Another request under the same idempotency key is not the one that it was made for. */
function sameAs(record: KeyRecord, asked: object): KeyRecord {
  const { createdAt: _then, revokedAt: _revoked, ...kept } = record.body
  const { createdAt: _now, ...wanted } = asked as { createdAt: string }
  if (isDeepStrictEqual(kept, wanted)) return record
  throw new HoldfastError('key_conflict', 'the idempotency key was used to make another key.')
}

/** Half of the digest names the record; the whole is compared. */
function idOf(digest: string): string {
  return digest.slice(0, 32)
}

function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

function expiryOf({ expiresAt }: RecordBody<'api_key'>): number {
  return expiresAt === undefined ? Number.POSITIVE_INFINITY : toMs(expiresAt)
}

function credentialOf({ id, body }: KeyRecord): Credential {
  const { userId, sessionIds } = body
  return {
    tenantId: tenantId(body.tenantId),
    scopes: new Set(body.scopes),
    keyId: id,
    ...(userId !== undefined && { userId }),
    ...(sessionIds && { sessionIds: new Set(sessionIds) }),
    actor: userId === undefined ? { kind: 'host' } : { kind: 'user', id: userId },
  }
}

function infoOf({ id, body: { digest: _digest, tenantId: _tenant, ...info } }: KeyRecord): KeyInfo {
  return { id, ...info }
}
