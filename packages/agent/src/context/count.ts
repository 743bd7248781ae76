/**
 * Tokens of a text, estimated: exact enough to plan by, and bounded. The tokenizer takes time with the square of a run of
 * equal characters (65,536 of them: 2.5 s), so a text is counted in pieces, and a long one by a sample of it.
 */
const pieceChars = 1_024
const sampledChars = 64 * 1_024

export type CountTokens = (text: string) => number

/** Loads the tokenizer: 230 ms once, so ask before anybody waits. */
export async function loadCounter(): Promise<CountTokens> {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base')
  const none = new Set<string>()
  return (text) => counted(text, (piece) => countTokens(piece, { disallowedSpecial: none }))
}

function counted(text: string, count: CountTokens): number {
  if (text.length <= sampledChars) return inPieces(text, count)
  const third = Math.floor(sampledChars / 3)
  const middle = Math.floor((text.length - third) / 2)
  const sample = [text.slice(0, third), text.slice(middle, middle + third), text.slice(-third)]
  const tokens = sample.reduce((sum, part) => sum + inPieces(part, count), 0)
  return Math.ceil((tokens * text.length) / (third * sample.length))
}

function inPieces(text: string, count: CountTokens): number {
  let tokens = 0
  for (let at = 0; at < text.length; at += pieceChars) tokens += count(text.slice(at, at + pieceChars))
  return tokens
}
