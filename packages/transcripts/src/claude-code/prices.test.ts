/** Calls that the list price does not hold for, and those of an advisor. */
import { expect, test } from 'vitest'
import { exportSession } from '../export-session.ts'
import { importPaths } from '../import-paths.ts'
import { priceBy } from '../price.ts'
import { sessionIdOf } from '../session-id.ts'
import { answers, save, says, text } from '../testing/claude-lines.ts'
import { openMemory, temporaryFolder } from '../testing/imported.ts'

/** A micro-cent a token. */
const price = { prompt: 1_000_000, completion: 1_000_000 }
const prices = priceBy(
  { prices: { 'anthropic/any': price }, aliases: [['anthropic/claude-*', 'anthropic/any']] },
  'list',
)

const id = sessionIdOf('default', 'claude-code', 's')

async function imported(...stages: readonly (string | readonly object[])[]) {
  const folder = temporaryFolder()
  const holdfast = await openMemory()
  for (const lines of stages) {
    save(folder, { 's.jsonl': lines })
    const { failed } = await importPaths(holdfast, [folder], { prices: async () => prices })
    expect(failed).toEqual([])
  }
  const { rows: recorded } = await holdfast.usage.list(id)
  const rows = recorded.map(({ attemptId, model, promptTokens, completionTokens, costMicrocents }) => {
    return { attemptId, model, promptTokens, completionTokens, costMicrocents }
  })
  return { holdfast, rows }
}

const answered = (usage: object, nth = 2) => answers(nth, nth - 1, 'msg_1', text(`answer ${nth}`), usage)
const prompt = says(1, null, 'Hi.')

test.each([
  ['says no more', {}, 15],
  ['is plain in all', { speed: 'standard', service_tier: 'standard', inference_geo: 'not_available' }, 15],
  ['tells nothing', { speed: null, service_tier: null, inference_geo: null }, 15],
  ['was made wherever there was room', { inference_geo: 'global' }, 15],
  ['was fast', { speed: 'fast' }, undefined],
  ['went before others', { service_tier: 'priority' }, undefined],
  ['waited for others', { service_tier: 'batch' }, undefined],
  ['stayed in a country', { inference_geo: 'us' }, undefined],
])('a call has the list price where that holds: one that %s', async (_what, usage, cost) => {
  const { rows } = await imported([prompt, answered(usage)])
  expect(rows).toMatchObject([{ attemptId: 'msg_1', promptTokens: 10, completionTokens: 5 }])
  expect(rows[0]?.costMicrocents).toBe(cost)
})

const advisor = (input_tokens: number, output_tokens: number) => ({
  ...{ type: 'advisor_message', model: 'claude-opus-4-7', input_tokens, output_tokens },
  ...{ cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
})
const own = { type: 'message', input_tokens: 5, output_tokens: 2 }
const advised = (...advisors: object[]) => ({ iterations: [own, ...advisors, own] })
const mine = { attemptId: 'msg_1', model: 'claude-opus-4-5', promptTokens: 10, completionTokens: 5 }
const advice = (nth: number, promptTokens: number, completionTokens: number) => ({
  ...{ attemptId: `msg_1/advisor-${nth}`, model: 'claude-opus-4-7', promptTokens, completionTokens },
  costMicrocents: promptTokens + completionTokens,
})

const twice = [prompt, answered(advised(advisor(900, 30), advisor(1_000, 40)))]

test('what an advisor was asked is paid for beside the answer, by its own model', async () => {
  const { rows } = await imported(twice)
  expect(rows).toEqual([{ ...mine, costMicrocents: 15 }, advice(1, 900, 30), advice(2, 1_000, 40)])
})

test('the price of an advisor of a fast call is unknown too', async () => {
  const { rows } = await imported([prompt, answered({ ...advised(advisor(900, 30)), speed: 'fast' })])
  expect(rows.map(({ costMicrocents }) => costMicrocents)).toEqual([undefined, undefined])
})

test.each([
  ['came later', {}, {}],
  ['came with more of the answer', {}, { output_tokens: 9 }],
  ['was told in part', advised(advisor(900, 10)), {}],
  ['was told in part, with more of the answer then', advised(advisor(900, 10)), { output_tokens: 9 }],
  ['was one of two', advised(advisor(900, 30)), {}],
])('of a file that grew an advisor that %s is paid for once', async (_what, before, more) => {
  const last = { ...advised(advisor(900, 30), advisor(1_000, 40)), ...more }
  const lines = [prompt, answered(before), answered(last, 3), says(4, 3, 'Thanks.')]
  const [whole, grown] = [
    await imported(lines),
    await imported(...[2, 3, 4].map((cut) => lines.slice(0, cut))),
  ]
  const total = async ({ holdfast }: typeof whole) => {
    const { promptTokens, completionTokens, costMicrocents } = await holdfast.usage.totals()
    return { promptTokens, completionTokens, costMicrocents }
  }
  expect(await total(grown)).toEqual(await total(whole))
  expect((await total(whole)).promptTokens).toBe(10 + 900 + 1_000)
})

test('a session written back is paid for as before', async () => {
  const { holdfast, rows } = await imported([...twice, says(3, 2, 'Thanks.')])
  let written = ''
  await exportSession(holdfast, id, 'claude-code', {
    write: async (more) => {
      written += more
    },
  })
  expect((await imported(written)).rows).toEqual(rows)
})

test('of advisors without end there are as many as a commit has room for', async () => {
  const { holdfast } = await imported([prompt, answered(advised(...Array(5_000).fill(advisor(1, 1))))])
  expect(await holdfast.usage.totals()).toMatchObject({ rows: 1 + 100 })
})
