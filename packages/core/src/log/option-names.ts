/** A misspelt option would be passed over in silence, and another question answered than the one that was asked. */
import { HoldfastError } from '@holdfast/protocol'

/** `of` is whose options they are, as the error calls it. */
export function requireKnown(options: object, names: readonly string[], of: string, hint = ''): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name))
  if (unknown === undefined) return
  throw new HoldfastError('invalid_input', `${of}: unknown ${unknown}; known are ${names.join(', ')}${hint}.`)
}
