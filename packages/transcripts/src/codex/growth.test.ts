/** Whatever a rollout tells of turns taken back, of names, tiers and counters: cut anywhere, it gives what the whole gives. */
import { isKnown } from '@holdfast/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allEvents, allMessages, pairingFaults } from '../testing/imported.ts'
import { asked, event, imported, line, meta, spoken } from './testing/rollout.ts'

/** Each is told how many pieces came before it. */
type Piece = (nth: number) => object[]

const call_id = (nth: number) => `call_${nth}`
const usage = (input_tokens: number) => ({ input_tokens, output_tokens: 1 })
const counted = (total: number, last: number, limit_id: string) =>
  event(3, 'token_count', {
    info: { total_token_usage: usage(total), last_token_usage: usage(last) },
    rate_limits: { limit_id },
  })

const pieces: readonly Piece[] = [
  (nth) => asked(nth, `words ${nth}`),
  (nth) => asked(nth, `words ${nth}`),
  (nth) => [spoken(nth, 'assistant', `answer ${nth}`)],
  (nth) => [spoken(nth, 'developer', `remark ${nth}`)],
  (nth) => [spoken(nth, 'user', `<environment_context>${nth}</environment_context>`)],
  (nth) => [item(nth, { type: 'function_call', name: 'run', arguments: '{}', call_id: call_id(nth) })],
  (nth) => [item(nth, { type: 'function_call_output', call_id: call_id(nth - 1), output: `${nth}` })],
  (nth) => [event(nth, 'task_started', { turn_id: `${nth}` })],
  (nth) => [event(nth, 'task_complete', { turn_id: `${nth}` })],
  (nth) => [event(nth, 'thread_rolled_back', { num_turns: 1 })],
  (nth) => [event(nth, 'thread_rolled_back', { num_turns: 2 })],
  (nth) => [event(nth, 'thread_name_updated', { thread_name: `Name ${nth}` })],
  (nth) => [line(nth, 'turn_context', { model: 'gpt-5.4', service_tier: nth % 2 ? 'priority' : 'default' })],
  (nth) => [counted(nth * 100, 100, 'a')],
  (nth) => [counted(nth * 70, 35, 'b')],
  (nth) => [counted(nth * 70, nth * 70, 'b')],
  (nth) => [line(nth, 'compacted', { message: `Summary ${nth}` })],
]

function item(nth: number, payload: object) {
  return line(nth, 'response_item', payload)
}

const rollout = fc
  .array(fc.constantFrom(...pieces), { minLength: 4, maxLength: 24 })
  .map((chosen) => [meta(), ...chosen.flatMap((piece, nth) => piece(nth + 1))])

async function told(lines: readonly object[], cuts: readonly number[]) {
  const { session, holdfast } = await imported(lines, cuts)
  const messages = await allMessages(session)
  expect(pairingFaults(messages)).toEqual([])
  const { title, counters } = await session.view()
  const { promptTokens, completionTokens, messageCount, costUnknown } = counters
  const { rows } = await holdfast.usage.list(session.id)
  const notes = (await allEvents(session)).flatMap((each) =>
    isKnown(each, 'note.added') && each.data.kind !== 'import.position' ? [JSON.stringify(each.data)] : [],
  )
  return {
    said: messages.map(({ role, parts, finish }) => ({ role, parts, finish })),
    spent: rows.map(({ attemptId, promptTokens }) => `${attemptId} ${promptTokens}`).sort(),
    notes: notes.sort(),
    ...{ title, promptTokens, completionTokens, messageCount, costUnknown },
  }
}

test('a rollout that is cut anywhere, and read again as it grows, is what it is when it is read once', {
  timeout: 120_000,
}, async () => {
  const cutAnywhere = rollout.chain((lines) =>
    fc.record({
      lines: fc.constant(lines),
      cuts: fc.uniqueArray(fc.integer({ min: 1, max: lines.length }), { minLength: 1, maxLength: 4 }),
    }),
  )
  await fc.assert(
    fc.asyncProperty(cutAnywhere, async ({ lines, cuts }) => {
      const inParts = await told(
        lines,
        [...cuts].sort((a, b) => a - b),
      )
      expect(inParts).toEqual(await told(lines, []))
    }),
    { numRuns: Number(process.env.HOLDFAST_GROWTH_RUNS ?? 40) },
  )
})

interface Line {
  payload: { type?: string; role?: string; num_turns?: number; content?: { text: string }[] }
}

/** As Codex counts: what comes before the first words of a user stays. */
function standing(lines: readonly object[]): string[] {
  let said: string[] = []
  for (const { payload } of lines as readonly Line[]) {
    if (payload.role === 'user') said.push(payload.content?.[0]?.text ?? '')
    if (payload.type !== 'thread_rolled_back') continue
    const begins = [...said.keys()].filter((at) => !said[at]?.startsWith('<'))
    const first = begins.at(-(payload.num_turns ?? 0)) ?? begins[0]
    said = said.slice(0, first)
  }
  return said
}

test('what a user said stands where Codex has it still', async () => {
  await fc.assert(
    fc.asyncProperty(rollout, async (lines) => {
      const { session } = await imported(lines)
      const users = (await allMessages(session)).filter(({ role }) => role === 'user')
      expect(users.map(({ parts: [part] }) => part && 'text' in part && part.text)).toEqual(standing(lines))
    }),
    { numRuns: Number(process.env.HOLDFAST_GROWTH_RUNS ?? 40) },
  )
})
