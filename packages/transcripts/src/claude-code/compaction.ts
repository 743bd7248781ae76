import { idPattern } from '@holdfast/protocol'
import type { Compaction } from '../batch.ts'
import type { SummedUp } from './boundaries.ts'
import type { Entry } from './entry.ts'

/** A summary line as a compaction. Undefined when it says nothing or has no id. */
export function compactionOf(entry: Entry, summed: SummedUp | undefined): Compaction | undefined {
  const id = entry.uuid
  const summary = entry.blocks.flatMap(({ type, text }) =>
    type === 'text' && typeof text === 'string' ? [text] : [],
  )
  if (id === undefined || !idPattern.test(id) || summary.join('').trim() === '') return undefined
  const { trigger, preTokens } = summed?.about ?? {}
  return {
    id,
    summary: summary.join('\n'),
    ...(summed?.stretch && { stretch: summed.stretch }),
    trigger: trigger === 'manual' ? 'manual' : 'pressure',
    tokensBefore: typeof preTokens === 'number' && Number.isSafeInteger(preTokens) ? preTokens : undefined,
    at: entry.at,
  }
}
