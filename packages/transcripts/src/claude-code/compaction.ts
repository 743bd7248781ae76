import type { JsonObject } from '@holdfast/protocol'
import { idPattern } from '@holdfast/protocol'
import type { Compaction, Stretch } from '../batch.ts'
import { type Entry, objectOf } from './entry.ts'

/** A summary line with the boundary before it as a compaction. Undefined when it says nothing or has no id. */
export function compactionOf(
  entry: Entry,
  boundary: JsonObject | undefined,
  stretch: Stretch | undefined,
): Compaction | undefined {
  const id = entry.uuid
  const summary = entry.blocks.flatMap(({ type, text }) =>
    type === 'text' && typeof text === 'string' ? [text] : [],
  )
  if (id === undefined || !idPattern.test(id) || summary.join('').trim() === '') return undefined
  const { trigger, preTokens } = objectOf(boundary?.compactMetadata) ?? {}
  return {
    id,
    summary: summary.join('\n'),
    ...(stretch && { stretch }),
    trigger: trigger === 'manual' ? 'manual' : 'pressure',
    tokensBefore: typeof preTokens === 'number' && Number.isSafeInteger(preTokens) ? preTokens : undefined,
    at: entry.at,
  }
}
