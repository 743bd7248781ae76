/**
 * The answers of changes whose idempotency keys no log knows, kept for a day: a request that comes again has its first answer
 * and no second effect. A record is made before the change and finished after it; between the two a crash leaves it begun, and
 * the request that comes again is carried out as one that may have had its effect.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import type { Holdfast, Records, StoredRecord } from '@holdfast/core'
import { HoldfastError, isHoldfastError, limits, type RecordBody, toMs, toTime } from '@holdfast/protocol'
import { type Credential, serverTenant } from '../access/credential.ts'
import type { Answer } from '../answer.ts'
import { HashedLines } from '../http/lines.ts'

/** A key as one caller uses it. */
export interface KeyUse {
  credential: Credential
  key: string
}

/** The request, as far as it makes two the same. */
export interface Asked {
  method: string
  url: string
  body: unknown
}

export type KeptAnswer = StoredRecord<'kept_answer'>

/** Longer answers are not kept: their requests, sent again, are carried out as those that a crash left begun. */
const keptBytes = limits.recordBytes / 2

export class KeptAnswers {
  readonly #records: Records<'kept_answer'>
  readonly #clock: () => number
  readonly #pepper: string
  /** By digest of the key: requests under one key go one after the other. */
  readonly #underWay = new Map<string, Promise<unknown>>()

  constructor(holdfast: Holdfast, clock: () => number, pepper = '') {
    this.#records = holdfast.forTenant(serverTenant).keptAnswers
    this.#clock = clock
    this.#pepper = pepper
  }

  /** What this very caller was answered before. */
  async known(use: KeyUse): Promise<KeptAnswer | undefined> {
    const { found } = await this.#find(digestOf(use))
    return found?.body.sealed === undefined ? undefined : found
  }

  /** The answer again; throws `key_conflict` when it was to another request. */
  async replay(use: KeyUse, { body }: KeptAnswer, asked: Asked): Promise<Answer> {
    const isSame = body.asked === hashOf(use, asked) && (await linesOf(asked)) === body.lines
    if (!isSame) throw conflict()
    const answer = JSON.parse(this.#open(use.key, body.sealed ?? '')) as Answer
    return { ...answer, headers: { ...answer.headers, 'idempotency-replayed': 'true' } }
  }

  /** `effect` is told whether an earlier try may have had its effect. A refusal does not use the key up. */
  async once(use: KeyUse, asked: Asked, effect: (mayBeDone: boolean) => Promise<Answer>): Promise<Answer> {
    const digest = digestOf(use)
    for (let other = this.#underWay.get(digest); other; other = this.#underWay.get(digest)) await other
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#underWay.set(digest, promise)
    try {
      return await this.#once(use, digest, asked, effect)
    } finally {
      this.#underWay.delete(digest)
      resolve()
    }
  }

  async #once(
    use: KeyUse,
    digest: string,
    asked: Asked,
    effect: (mayBeDone: boolean) => Promise<Answer>,
  ): Promise<Answer> {
    const begun = { digest, asked: hashOf(use, asked), until: toTime(this.#clock() + limits.keyTtlMs) }
    const { record, isNew } = await this.#begin(begun)
    if (record.body.sealed !== undefined) return this.replay(use, record, asked)
    if (record.body.asked !== begun.asked) throw conflict()
    try {
      const answer = await effect(!isNew)
      await this.#finish(record, use, asked, answer)
      return answer
    } catch (error) {
      if (isHoldfastError(error) && error.status < 500) await this.#release(record)
      throw error
    }
  }

  async #begin(body: RecordBody<'kept_answer'>): Promise<{ record: KeptAnswer; isNew: boolean }> {
    for (;;) {
      const { found, free } = await this.#find(body.digest)
      if (found) return { record: found, isNew: false }
      try {
        const record = await this.#records.put(free.id, body, { expectedVersion: free.version })
        return { record, isNew: true }
      } catch (error) {
        if (!isHoldfastError(error, 'version_conflict')) throw error
      }
    }
  }

  async #finish({ id, version, body }: KeptAnswer, use: KeyUse, asked: Asked, answer: Answer): Promise<void> {
    const sealed = this.#seal(use.key, JSON.stringify(answer))
    if (sealed.length > keptBytes) return
    const lines = await linesOf(asked)
    const kept = { ...body, sealed, ...(lines !== undefined && { lines }) }
    await this.#records.put(id, kept, { expectedVersion: version })
  }

  async #release({ id, version, body }: KeptAnswer): Promise<void> {
    await this.#records.put(id, { ...body, until: toTime(this.#clock()) }, { expectedVersion: version })
  }

  /** The places of a digest are in a row; one whose time is over is used again, so that the store keeps those of a day. */
  async #find(digest: string): Promise<{ found?: KeptAnswer; free: { id: string; version: number } }> {
    let free: { id: string; version: number } | undefined
    for (let nth = 0; ; nth++) {
      const id = `${digest.slice(0, 4)}-${nth}`
      const record = await this.#records.get(id)
      if (!record) return { free: free ?? { id, version: 0 } }
      const isOver = toMs(record.body.until) <= this.#clock()
      if (isOver) free ??= record
      else if (record.body.digest === digest) return { found: record, free: record }
    }
  }

  /** Answers may hold what is erased elsewhere, or let somebody in: only who has the key can read one. */
  #seal(key: string, text: string): string {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#cipherKey(key), nonce)
    const sealed = [nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]
    return Buffer.concat(sealed).toString('base64')
  }

  #open(key: string, sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64')
    const cipher = createDecipheriv('aes-256-gcm', this.#cipherKey(key), bytes.subarray(0, 12))
    cipher.setAuthTag(bytes.subarray(-16))
    return `${cipher.update(bytes.subarray(12, -16), undefined, 'utf8')}${cipher.final('utf8')}`
  }

  #cipherKey(key: string): Buffer {
    return createHmac('sha256', this.#pepper).update(`answer ${key}`).digest()
  }
}

/** Under which the use of a key is found: of one caller, as it is bound. */
function digestOf({ credential, key }: KeyUse): string {
  const { tenantId, keyId, userId, sessionIds, scopes } = credential
  return digest(['key', tenantId, keyId, userId, sessionIds && [...sessionIds], [...scopes], key])
}

/** The key salts it, as what was asked may be guessed. */
function hashOf({ key }: KeyUse, { method, url, body }: Asked): string {
  const { pathname, search } = new URL(url)
  const content = body instanceof Uint8Array ? createHash('sha256').update(body).digest('hex') : body
  return digest([key, method, pathname, search, content instanceof HashedLines ? 'lines' : content])
}

/** Lines are known once they were read. */
async function linesOf({ body }: Asked): Promise<string | undefined> {
  return body instanceof HashedLines ? body.digest() : undefined
}

function digest(facts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}

function conflict(): HoldfastError {
  return new HoldfastError('key_conflict', 'the idempotency key was used with another request.')
}
