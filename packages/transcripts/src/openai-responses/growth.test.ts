/** Responses in a file that grows: it gives in the end what it gives when it is read once, wherever it was cut. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '@holdfast/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { importFile } from '../import-paths.ts'
import { allEvents, allMessages, openMemory, temporaryFolder } from '../testing/imported.ts'

function message(role: string, text: string): JsonObject {
  const type = role === 'assistant' ? 'output_text' : 'input_text'
  return { type: 'message', role, content: [{ type, text }] }
}

async function imported(values: readonly JsonObject[], cuts: readonly number[]) {
  const path = join(temporaryFolder(), 'growing.jsonl')
  const holdfast = await openMemory()
  for (const cut of [...cuts, values.length]) {
    const lines = values.slice(0, cut).map((value) => `${JSON.stringify(value)}\n`)
    writeFileSync(path, lines.join(''))
    expect((await importFile(holdfast, path, { format: 'openai-responses' })).failed).toEqual([])
  }
  const { sessions } = await holdfast.sessions.list()
  expect(sessions).toHaveLength(1)
  const session = await holdfast.sessions.open(sessions[0]?.id ?? '')
  const events = await allEvents(session)
  const modelsOf = (type: string) =>
    events.filter((event) => event.type === type).map(({ data }) => (data as JsonObject).model)
  const { model, counters } = await session.view()
  const { promptTokens, completionTokens, messageCount, exchangeCount, roundCount } = counters
  const messages = (await allMessages(session)).map(({ role, parts }) => ({ role, parts }))
  const facts = { messages, model, promptTokens, completionTokens, messageCount, exchangeCount, roundCount }
  return { facts, runs: modelsOf('run.started'), paid: modelsOf('usage.recorded') }
}

const usage = { input_tokens: 10, output_tokens: 5 }

function response(number: number, model: string, instructions: string): JsonObject {
  const said = { input: [message('user', 'why')], output: [message('assistant', 'so')] }
  return {
    id: `resp_${number}`,
    object: 'response',
    status: 'completed',
    model,
    instructions,
    ...said,
    usage,
  }
}

test('a turn has the model of its own response when the next one has other instructions', async () => {
  const values = [response(1, 'gpt-5', 'A'), response(2, 'gpt-4o', 'B'), response(3, 'gpt-6', 'C')]
  const models = ['gpt-5', 'gpt-4o', 'gpt-6']
  for (const cuts of [[], [1], [2], [1, 2]])
    expect(await imported(values, cuts), `cut at ${cuts}`).toMatchObject({ runs: models, paid: models })
})

interface Drawn {
  model: string
  instructions: string | undefined
  says: string | undefined
  answers: string | undefined
  calls: boolean
  isAnswered: boolean
  isPaid: boolean
}

const word = fc.constantFrom('list', 'why', 'so')
const maybe = fc.option(word, { nil: undefined })
const drawn: fc.Arbitrary<Drawn> = fc.record({
  model: fc.constantFrom('gpt-5', 'gpt-4o'),
  instructions: fc.option(fc.constantFrom('A', 'B'), { nil: undefined }),
  says: maybe,
  answers: maybe,
  calls: fc.boolean(),
  isAnswered: fc.boolean(),
  isPaid: fc.boolean(),
})

function responseOf({ model, instructions, ...drawn }: Drawn, at: number, all: readonly Drawn[]): JsonObject {
  const answersCall = drawn.isAnswered && all[at - 1]?.calls
  const input = [
    ...(answersCall ? [{ type: 'function_call_output', call_id: `c${at - 1}`, output: 'seen' }] : []),
    ...(drawn.says === undefined ? [] : [message('user', drawn.says)]),
  ]
  const output = [
    ...(drawn.answers === undefined ? [] : [message('assistant', drawn.answers)]),
    ...(drawn.calls ? [{ type: 'function_call', name: 'look', arguments: '{}', call_id: `c${at}` }] : []),
  ]
  const told = { ...(instructions && { instructions }), ...(drawn.isPaid && { usage }) }
  return { id: `resp_${at}`, object: 'response', status: 'completed', model, input, output, ...told }
}

const cut = fc.integer({ min: 1, max: 6 })

function cutAt(response: fc.Arbitrary<Drawn>) {
  const all = fc.array(response, { minLength: 1, maxLength: 6 })
  return fc.tuple(all, fc.tuple(cut, cut)).map(([drawn, cuts]) => {
    const values = [message('user', 'go'), ...drawn.map(responseOf)]
    return { values, cuts: cuts.filter((at) => at < values.length).sort((a, b) => a - b) }
  })
}

test('of generated responses', { timeout: 60_000 }, async () => {
  const holds = async ({ values, cuts }: { values: JsonObject[]; cuts: number[] }) => {
    expect((await imported(values, cuts)).facts).toEqual((await imported(values, [])).facts)
  }
  await fc.assert(fc.asyncProperty(cutAt(drawn), holds), { numRuns: 60 })
})

test('of generated responses that are a turn each, which have their models', {
  timeout: 60_000,
}, async () => {
  const turn = drawn.map((drawn) => ({ ...drawn, says: 'why', answers: 'so', calls: false, isPaid: true }))
  const holds = async ({ values, cuts }: { values: JsonObject[]; cuts: number[] }) => {
    const parts = await imported(values, cuts)
    expect(parts).toEqual(await imported(values, []))
    expect(parts.runs).toEqual(parts.paid)
  }
  await fc.assert(fc.asyncProperty(cutAt(turn), holds), { numRuns: 40 })
})

test('a response that gave nothing is kept with what it cost', async () => {
  const failed = { id: 'resp_9', object: 'response', status: 'failed', model: 'gpt-5', output: [], usage }
  const values = [response(1, 'gpt-5', 'A'), { ...failed, error: { message: 'overloaded' } }]
  for (const cuts of [[], [1]])
    expect((await imported(values, cuts)).facts).toMatchObject({ promptTokens: 20, completionTokens: 10 })
})
