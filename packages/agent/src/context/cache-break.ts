/**
 * Where a call no longer begins with what the call before it was sent: a provider's cache holds a beginning, so from there
 * on everything is read anew. Pure.
 */
import type { CacheBreak, PromptBlock, PromptManifest } from '@holdfast/protocol'
import type { Mark } from './manifest.ts'

export type Break = Omit<CacheBreak, 'costMicrocents'>

/** What a call is sent now. */
interface Now {
  manifest: PromptManifest
  marks: readonly Mark[]
}

/** Undefined: all of it still stands at the beginning. */
export function breakOf(before: PromptManifest, now: Now): Break | undefined {
  const from = { byte: 0, token: 0 }
  const [headBefore, headNow] = [headOf(before), headOf(now.manifest)]
  for (let i = 0; i < Math.max(headBefore.length, headNow.length); i++) {
    const [was, is] = [headBefore[i], headNow[i]]
    if (!was || !is || !isSame(was, is))
      return broken(before, now, from, headChange(headBefore, headNow, was, is))
    pass(from, was)
  }
  let messages = 0
  for (const block of before.blocks.slice(headBefore.length)) {
    const through = messages + (block.messages ?? 0)
    if (now.marks[through - 1]?.hash !== block.hash)
      return broken(before, now, from, windowChange(before, now, block, messages))
    pass(from, block)
    messages = through
  }
  return undefined
}

interface Place {
  byte: number
  token: number
}

type Change = Pick<CacheBreak, 'kind' | 'name' | 'change'> & { bytes: number }

function broken(
  { tokens }: PromptManifest,
  { manifest }: Now,
  { byte, token }: Place,
  { bytes, ...change }: Change,
): Break {
  const rereadTokens = Math.max(0, Math.min(tokens, manifest.tokens) - token)
  return { ...change, fromByte: byte, toByte: byte + bytes, fromToken: token, rereadTokens }
}

function pass(place: Place, { bytes, tokens }: PromptBlock): void {
  place.byte += bytes
  place.token += tokens
}

function headOf({ blocks }: PromptManifest): PromptBlock[] {
  return blocks.filter(({ messages }) => messages === undefined)
}

/** What a block is, whatever stands in it. */
function isLike(a: PromptBlock, b: PromptBlock): boolean {
  return a.kind === b.kind && (a.name === b.name || a.kind === 'model')
}

function isSame(a: PromptBlock, b: PromptBlock): boolean {
  return isLike(a, b) && a.hash === b.hash
}

function headChange(
  before: readonly PromptBlock[],
  now: readonly PromptBlock[],
  was: PromptBlock | undefined,
  is: PromptBlock | undefined,
): Change {
  if (was && is && isLike(was, is)) return changeOf(is, 'changed', was.bytes)
  const isNew = is !== undefined && !before.some((block) => isLike(block, is))
  if (is && isNew) return changeOf(is, 'added', 0)
  const gone = was as PromptBlock
  const isGone = !now.some((block) => isLike(block, gone))
  return changeOf(gone, isGone ? 'removed' : 'moved', gone.bytes)
}

/** A summary that was not there before is what changed the window. */
function windowChange(before: PromptManifest, { marks }: Now, block: PromptBlock, messages: number): Change {
  const known = new Set(before.blocks.map(({ name }) => name))
  const here = marks.slice(messages, messages + (block.messages ?? 0))
  const name = here.find(({ compactionId }) => compactionId !== undefined && !known.has(compactionId))
  if (name?.compactionId !== undefined)
    return { kind: 'summary', name: name.compactionId, change: 'added', bytes: block.bytes }
  return changeOf(block, here.length === 0 ? 'removed' : 'changed', block.bytes)
}

function changeOf({ kind, name }: PromptBlock, change: CacheBreak['change'], bytes: number): Change {
  return { kind, ...(name !== undefined && { name }), change, bytes }
}
