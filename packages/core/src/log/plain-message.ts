/** A role and texts, as nearly every message: the schema says the same of it, and takes many times as long. */
import { type MessageInput, role } from '@holdfast/protocol'

/** Made with the first message, as the schemas are: not with the module. */
let roles: ReadonlySet<unknown> | undefined

type Text = { type: 'text'; text: string }

/** A copy, as the schema would make it; undefined for what only the schema can judge. */
export function plainMessage(value: unknown): MessageInput | undefined {
  if (!hasKeys(value, 'role', 'parts')) return undefined
  const { role: from, parts } = value
  roles ??= new Set(role.options)
  if (!roles.has(from) || !Array.isArray(parts) || parts.length === 0) return undefined
  const texts: Text[] = []
  for (let n = 0; n < parts.length; n += 1) {
    const part: unknown = parts[n]
    if (!hasKeys(part, 'type', 'text') || part.type !== 'text') return undefined
    const { text } = part
    if (typeof text !== 'string') return undefined
    texts.push({ type: 'text', text })
  }
  return { role: from as MessageInput['role'], parts: texts }
}

/** An object literal with these two keys and no others. */
function hasKeys<A extends string, B extends string>(
  value: unknown,
  one: A,
  other: B,
): value is Record<A | B, unknown> {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return false
  return (
    Object.getOwnPropertyNames(value).length === 2 && Object.hasOwn(value, one) && Object.hasOwn(value, other)
  )
}
