import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import type { Json, Message } from '@holdfast/protocol'
import { exportSession, formats, importFile } from '@holdfast/transcripts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allMessages, pairingFaults } from '../src/testing/imported.ts'

const seed = Number(process.env.HOLDFAST_SEED ?? Math.floor(Math.random() * 2 ** 31))
const numRuns = process.env.HOLDFAST_QUICK ? 10 : 40

/** Text that a transcript may hold: any well-formed one that is not blank. */
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((value) => value.trim() !== '')
const input = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)))
const call = fc.record({ name: fc.stringMatching(/^[a-z_]{1,12}$/), input, output: text, isAnswered: fc.boolean() })
const round = fc.record({ said: fc.option(text), calls: fc.array(call, { minLength: 1, maxLength: 3 }) })
const turn = fc.record({ asked: text, rounds: fc.array(round, { maxLength: 3 }), answer: text })

type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never

/** The conversation as an OpenAI chat; every call has an id of its own. */
function chatOf(turns: readonly Turn[]): Json[] {
  let calls = 0
  return turns.flatMap(({ asked, rounds, answer }): Json[] => [
    { role: 'user', content: asked },
    ...rounds.flatMap((each): Json[] => {
      const named = each.calls.map((made) => ({ ...made, id: `call_${++calls}` }))
      const toolCalls = named.map(({ id, name, input: given }) => {
        return { id, type: 'function', function: { name, arguments: JSON.stringify(given) } }
      })
      const results = named.filter(({ isAnswered }) => isAnswered)
      return [
        { role: 'assistant', content: each.said, tool_calls: toolCalls },
        ...results.map(({ id, output }) => ({ role: 'tool', tool_call_id: id, content: output })),
      ]
    }),
    { role: 'assistant', content: answer },
  ])
}

/** What was said and done, whatever names and borders a format gives it. */
function contentOf(messages: readonly Message[]): Json[] {
  return messages.flatMap(({ role, parts }) =>
    parts.map((part): Json => {
      if (part.type === 'text') return { role, text: part.text }
      if (part.type === 'tool_call') return { call: part.callId, name: part.name, input: part.input }
      if (part.type === 'tool_result') return { result: part.callId, output: part.output }
      return { role, type: part.type }
    }),
  )
}

async function imported(holdfast: Holdfast, path: string) {
  const { imported: sessions } = await importFile(holdfast, path)
  const session = await holdfast.sessions.open(sessions[0]?.sessionId ?? '')
  return { session, messages: await allMessages(session) }
}

test.each(formats.filter(({ write }) => write).map(({ name }) => name))(
  'whatever is said, %s written and read again says the same',
  async (format) => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-round-trip-'))
    const property = fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 4 }), async (turns) => {
      const [from, to] = [join(folder, 'from.json'), join(folder, 'to.jsonl')]
      await using here = await openHoldfast({ store: memory() })
      await using there = await openHoldfast({ store: memory() })
      writeFileSync(from, JSON.stringify(chatOf(turns)))
      const { session, messages } = await imported(here, from)
      let written = ''
      await exportSession(here, session.id, format, {
        write: async (more) => {
          written += more
        },
      })
      writeFileSync(to, written)
      const back = await imported(there, to)
      expect(pairingFaults(back.messages)).toEqual([])
      expect(contentOf(back.messages)).toEqual(contentOf(messages))
    })
    try {
      await fc.assert(property, { seed, numRuns })
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)
