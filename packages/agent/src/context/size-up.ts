/** How large a context is. What the provider counted of the last call goes first: what was added since is estimated. Pure. */
import type { ContextState } from '@holdfast/core'
import type { PromptBlock, PromptManifest } from '@holdfast/protocol'
import { type Break, breakOf } from './cache-break.ts'
import type { Window } from './kept-prompt.ts'
import { manifestOf } from './manifest.ts'

export type LastCall = ContextState['lastCall']

export interface Tokens {
  system: number
  summary: number
  window: number
  total: number
}

export interface Size {
  tokens: Tokens
  manifest: PromptManifest
  /** Where it no longer begins as the last call did. */
  broken?: Break
}

/** `before` is what stands before the messages, the model first. */
export function sizeUp(before: readonly PromptBlock[], window: Window, last: LastCall): Size {
  const manifest = manifestOf(before, window.marks)
  const broken = last.manifest && breakOf(last.manifest, { manifest, marks: window.marks })
  const total = broken ? manifest.tokens : totalOf(manifest.tokens, last)
  const system = before.reduce((sum, { tokens }) => sum + tokens, 0)
  const summary = manifest.blocks.reduce(
    (sum, { kind, tokens }) => sum + (kind === 'summary' ? tokens : 0),
    0,
  )
  return {
    tokens: { system, summary, window: Math.max(0, total - system - summary), total },
    manifest,
    ...(broken && { broken }),
  }
}

function totalOf(estimate: number, { usage, manifest }: LastCall): number {
  return usage && manifest ? Math.max(0, usage.totalTokens + estimate - manifest.tokens) : estimate
}

/**
 * Whether a provider's count can be one of the whole prompt. Some servers count only what their cache did not hold; a
 * context that is believed small would never be compacted.
 */
export function isPlausible(counted: number, estimate: number): boolean {
  return counted * 2 >= estimate
}
