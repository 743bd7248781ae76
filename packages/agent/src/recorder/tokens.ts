import { utf8Bytes } from '@holdfast/protocol'

/** A guess for what nobody counted: about four bytes make a token. */
export function tokensOf(text: string): number {
  return Math.ceil(utf8Bytes(text) / 4)
}
