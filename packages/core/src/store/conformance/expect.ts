/** What cases say about outcomes. */
import assert from 'node:assert/strict'
import { type ErrorCode, isHoldfastError } from '@holdfast/protocol'
import type { CommitOutcome } from '../store.ts'

export type Committed = Extract<CommitOutcome, { status: 'committed' }>

/** Equal in every value; an absent property and an undefined one count as the same. */
export function same(actual: unknown, expected: unknown, message?: string): void {
  assert.deepEqual(plain(actual), plain(expected), message)
}

export function sameSet(actual: readonly string[], expected: readonly string[], message?: string): void {
  same(actual.toSorted(), expected.toSorted(), message)
}

export function committed(outcome: CommitOutcome | undefined): Committed {
  if (outcome?.status !== 'committed') assert.fail(`expected a commit, got ${JSON.stringify(outcome)}`)
  return outcome
}

export async function rejects(promise: Promise<unknown>, code: ErrorCode, message = ''): Promise<void> {
  same(await settled(promise), { error: code }, message)
}

export type Settled = { value: unknown } | { error: ErrorCode }

/** The value, or the code of the error. Anything but a `HoldfastError` is thrown on. */
export async function settled(promise: Promise<unknown>): Promise<Settled> {
  try {
    return { value: await promise }
  } catch (error) {
    if (isHoldfastError(error)) return { error: error.code }
    throw error
  }
}

/** Plain JSON-like data: maps as sorted entries, bytes as hex, no undefined properties. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (value instanceof Map) return plain(Object.fromEntries([...value].sort()))
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return Object.fromEntries(entries.map(([name, inner]) => [name, plain(inner)]))
}
