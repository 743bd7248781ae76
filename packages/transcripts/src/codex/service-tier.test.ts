/** What a call costs where Codex asked for it to go before others. */

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { importFile } from '../import-paths.ts'
import { priceBy } from '../price.ts'
import { openMemory, temporaryFolder } from '../testing/imported.ts'
import { event, line, meta, saved, sessionIn, spoken } from './testing/rollout.ts'

/** A micro-cent a token. */
const price = { prompt: 1_000_000, completion: 1_000_000 }
const prices = priceBy({ prices: { 'openai/gpt-5.4': price }, aliases: [] }, 'list')

const context = (beside: object = {}) => line(1, 'turn_context', { model: 'gpt-5.4', ...beside })
const settings = (beside: object) =>
  event(1, 'thread_settings_applied', { thread_settings: { model: 'gpt-5.4', ...beside } })
const usage = (input_tokens: number) => ({ input_tokens, output_tokens: 0 })
const recorded = (id: string, beside: object = {}) =>
  line(2, 'token_usage_record', { response_id: id, usage: usage(7), ...beside })
const counted = (total: number, beside: object = {}) =>
  event(3, 'token_count', { info: { total_token_usage: usage(total) }, ...beside })
const fast = { service_tier: 'priority' }

const cases: [string, object[], (number | undefined)[]][] = [
  ['of no tier', [context(), counted(10)], [10]],
  [
    'of the usual tier',
    [context({ service_tier: null }), recorded('a', { service_tier: 'default' }), counted(10)],
    [10],
  ],
  ['of a turn that goes first', [context(fast), counted(10)], [undefined]],
  ['since such settings hold', [settings(fast), context(), counted(10), counted(30)], [undefined, undefined]],
  ['since they hold no more', [settings(fast), counted(10), settings({}), counted(30)], [undefined, 20]],
  [
    'since such settings are told to hold no more',
    [settings(fast), counted(10), settings({ service_tier: null }), counted(30)],
    [undefined, 20],
  ],
  [
    'of a turn that does not say',
    [context(fast), counted(10), context(), counted(30)],
    [undefined, undefined],
  ],
  [
    'of a turn of no tier behind one that goes first',
    [context(fast), counted(10), context({ service_tier: null }), counted(30)],
    [undefined, 20],
  ],
  [
    'of a turn that goes first, though none is recorded',
    [context(fast), recorded('a', { service_tier: null }), counted(10)],
    [undefined],
  ],
  ['that was recorded so', [context(), recorded('a', fast), counted(10)], [undefined]],
  [
    'that was recorded otherwise than asked',
    [context(fast), recorded('a', { service_tier: 'default' }), counted(10)],
    [10],
  ],
  ['that is counted so', [context(), counted(10, fast)], [undefined]],
  ['that waits for others', [context({ service_tier: 'flex' }), counted(10)], [undefined]],
  [
    'that wrote a summary',
    [context(), recorded('a', fast), line(4, 'compacted', { message: 'So.', compaction_response_id: 'a' })],
    [undefined],
  ],
]

test.each(cases)('a call %s has the list price where that holds', async (_what, told, costs) => {
  const lines = [meta(), context(), spoken(1, 'user', 'Go.'), spoken(2, 'assistant', 'So.'), ...told]
  const holdfast = await openMemory()
  const path = saved(join(temporaryFolder(), 'rollout-made.jsonl'), lines)
  await importFile(holdfast, path, { prices: async () => prices })
  const { rows } = await holdfast.usage.list((await sessionIn(holdfast)).id)
  expect(rows.map(({ costMicrocents }) => costMicrocents)).toEqual(costs)
})

test('it is known where the file goes on', async () => {
  const lines = [meta(), context(fast), spoken(1, 'user', 'Go.'), spoken(2, 'assistant', 'So.')]
  const holdfast = await openMemory()
  const path = join(temporaryFolder(), 'rollout-made.jsonl')
  for (const more of [[], [counted(10)], [counted(10), spoken(4, 'user', 'And?'), counted(30)]])
    await importFile(holdfast, saved(path, [...lines, ...more]), { prices: async () => prices })
  const { counters } = await (await sessionIn(holdfast)).view()
  expect(counters).toMatchObject({ promptTokens: 30, costMicrocents: 0, costUnknown: 2 })
})
