/** Which key is meant: an id, or the beginning or the end of one where only one key has it. */
import { HoldfastError, type KeyInfo } from '@holdfast/protocol'
import { plainLine } from '../terminal/plain.ts'
import type { Keyring } from './keyring.ts'

/** Fewer characters than these are no id. */
const leastLength = 3

export async function resolveKeyId(ring: Pick<Keyring, 'all'>, text: string): Promise<string> {
  const found: KeyInfo[] = []
  for await (const key of ring.all()) {
    if (key.id === text) return text
    if (key.id.startsWith(text) || key.id.endsWith(text)) found.push(key)
  }
  const [first, ...others] = found
  if (!first || text.length < leastLength) throw missing(text)
  if (others.length > 0) throw ambiguous(text, found)
  return first.id
}

function missing(text: string): HoldfastError {
  const message = `There is no key ${JSON.stringify(text)}.\n  holdfast keys list shows them.`
  return new HoldfastError('not_found', message, { details: { keyId: text } })
}

function ambiguous(text: string, found: readonly KeyInfo[]): HoldfastError {
  const message = [
    `${JSON.stringify(text)} is the beginning or end of ${found.length} ids. Give more of the one you mean:`,
    ...found.map(({ id, name }) => `  ${id}  ${plainLine(name)}`),
  ].join('\n')
  return new HoldfastError('invalid_input', message, { details: { candidates: found.map(({ id }) => id) } })
}
