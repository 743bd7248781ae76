/** Options as a host gave them: a misspelt one would silently be its default. */
import { HoldfastError } from '@holdfast/protocol'

/** The same options; `invalid_input` for one that is not among `names`. */
export function knownOptions<T extends object>(
  what: string,
  options: T,
  names: readonly (keyof T & string)[],
): T {
  const unknown = Object.keys(options).find((name) => !names.some((known) => known === name))
  if (unknown === undefined) return options
  throw new HoldfastError('invalid_input', `${what}: unknown ${unknown}; known are ${names.join(', ')}.`)
}
