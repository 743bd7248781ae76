/**
 * What a model call is sent, as blocks with their hashes, in the order in which providers cache it: the model, its tools,
 * the sections of the system prompt, the messages. The newest messages have a block each, older ones share one, the older
 * the larger: however long the window, the blocks are few. Pure.
 */
import { hash as digest } from 'node:crypto'
import type { PromptBlock, PromptManifest, PromptSnapshot } from '@holdfast/protocol'
import { utf8Bytes } from '@holdfast/protocol'
import type { CountTokens } from './count.ts'

/** The window through one of its messages. */
export interface Mark {
  /** Of all messages through this one. */
  hash: string
  /** From the window's beginning. */
  bytes: number
  tokens: number
  /** It is the summary that this compaction made. */
  compactionId?: string
  /** Place of the newest summary through this message. */
  lastSummary?: number
}

/** Enough to tell blocks of one session apart, and nothing to read them from. */
export function hashOf(text: string): string {
  return digest('sha256', text).slice(0, 16)
}

export function modelBlock({ provider, modelId }: { provider: string; modelId: string }): PromptBlock {
  const name = `${provider}/${modelId}`.slice(0, 1_024).toWellFormed()
  return { kind: 'model', name, hash: hashOf(name), bytes: 0, tokens: 0 }
}

/** What stands before the messages. */
export function systemBlocks(
  tools: readonly unknown[],
  sections: PromptSnapshot['sections'],
  count: CountTokens,
): PromptBlock[] {
  const block = (text: string) => ({ hash: hashOf(text), bytes: utf8Bytes(text), tokens: count(text) })
  return [
    ...(tools.length > 0 ? [{ kind: 'tools' as const, ...block(JSON.stringify(tools)) }] : []),
    ...sections.map(({ name, text }) => ({ kind: 'section' as const, name, ...block(text) })),
  ]
}

export function manifestOf(before: readonly PromptBlock[], marks: readonly Mark[]): PromptManifest {
  const blocks = [...before, ...windowBlocks(marks)]
  return {
    blocks,
    bytes: blocks.reduce((sum, { bytes }) => sum + bytes, 0),
    tokens: blocks.reduce((sum, { tokens }) => sum + tokens, 0),
  }
}

function windowBlocks(marks: readonly Mark[]): PromptBlock[] {
  const blocks: PromptBlock[] = []
  let start = 0
  for (const end of endsOfBlocks(marks.length, summariesOf(marks))) {
    blocks.push(windowBlock(marks, start, end))
    start = end
  }
  return blocks
}

function windowBlock(marks: readonly Mark[], start: number, end: number): PromptBlock {
  const { hash, bytes, tokens, compactionId } = marks[end - 1] as Mark
  const before = marks[start - 1]
  return {
    ...(compactionId === undefined
      ? { kind: 'messages' as const }
      : { kind: 'summary' as const, name: compactionId }),
    hash,
    bytes: bytes - (before?.bytes ?? 0),
    tokens: tokens - (before?.tokens ?? 0),
    messages: end - start,
  }
}

/** Their places, in order. */
function summariesOf(marks: readonly Mark[]): number[] {
  const places: number[] = []
  for (let at = marks.at(-1)?.lastSummary; at !== undefined; at = marks[at - 1]?.lastSummary) places.push(at)
  return places.reverse()
}

/** A summary is a block of its own. What is looked at are the ends, not the messages. */
function* endsOfBlocks(length: number, summaries: readonly number[]): Generator<number> {
  let last = 0
  for (const place of [...summaries, length]) {
    for (let end = last + 1; end < place; end = nextEnd(end, length)) if (isEnd(end, length)) yield end
    if (place > last) yield place
    if (place < length) yield place + 1
    last = place + 1
  }
}

const finest = 4

/** A place near the end ends a block; further away it must be a multiple of a power of two that grows with the distance. */
function isEnd(end: number, length: number): boolean {
  return length - end < finest * lowestBit(end)
}

/** Between a place that is none and the next multiple of more, there is none: their powers of two are smaller still. */
function nextEnd(end: number, length: number): number {
  return isEnd(end, length) ? end + 1 : end + lowestBit(end)
}

function lowestBit(place: number): number {
  return place & -place
}
