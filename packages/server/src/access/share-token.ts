/** Tokens that let somebody into one session for a while. Nothing is kept of them: the signature says that they are ours. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { scope, time } from '@holdfast/protocol'
import { z } from 'zod'

const claims = z.strictObject({
  tenant: z.string(),
  sessionId: z.string(),
  scopes: z.array(scope.extract(['read', 'answer'])),
  expiresAt: time,
  /** The key that made it. */
  keyId: z.string(),
})
export type Claims = z.infer<typeof claims>

export function sealToken(pepper: string, content: Claims): string {
  const text = Buffer.from(JSON.stringify(content)).toString('base64url')
  return `hfs_${text}.${signatureOf(pepper, text)}`
}

/** Undefined when it is not ours. */
export function openToken(pepper: string, token: string): Claims | undefined {
  const [text = '', signature = ''] = token.slice('hfs_'.length).split('.')
  const expected = signatureOf(pepper, text)
  if (signature.length !== expected.length) return undefined
  if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) return undefined
  return claims.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
}

/** Keys are digested under the same pepper: the first word keeps the two apart. */
function signatureOf(pepper: string, text: string): string {
  return createHmac('sha256', pepper).update(`share ${text}`).digest('base64url')
}
