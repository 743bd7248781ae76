import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Holdfast } from '@holdfast/core'
import { describe, expect, test } from 'vitest'
import { importFile, importPaths } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import {
  allMessages,
  openMemory,
  pairingFaults,
  seqs,
  temporaryFolder,
  transcripts,
} from '../testing/imported.ts'

interface Raw {
  task_id: number
  trial: number
  reward: number
  info: { task: { user_id: string }; user_cost: number }
  traj: {
    role: string
    content: string | null
    tool_calls?: { id: string; function: { name: string; arguments: string } }[]
  }[]
}

const path = join(transcripts, 'tau-bench', 'gpt-4o-airline.json')
const raw = JSON.parse(readFileSync(path, 'utf8')) as Raw[]

function idOf({ task_id, trial }: Raw): string {
  return sessionIdOf('default', 'openai-chat', `gpt-4o-airline/${task_id}/${trial}`)
}

async function imported(): Promise<Holdfast> {
  const holdfast = await openMemory()
  await importFile(holdfast, path)
  return holdfast
}

/** Made straight from the file: a turn is a stretch of answers and calls between two words of the user. */
function count({ traj }: Raw) {
  const roles = traj.map(({ role }) => role)
  const answered = traj.filter(({ role }, at) => role === 'user' && roles[at + 1] === 'assistant').length
  return {
    messageCount: traj.length,
    roundCount: roles.filter((role) => role === 'assistant').length,
    turnCount: answered,
  }
}

describe.each(raw.map((item) => ({ name: `task ${item.task_id}, trial ${item.trial}`, item })))(
  '$name',
  ({ item }) => {
    test('counts what its file says, and its usage is unknown, not zero rows', async () => {
      const holdfast = await imported()
      const { counters } = await (await holdfast.sessions.open(idOf(item))).view()
      expect(counters).toMatchObject({ ...count(item), promptTokens: 0, costMicrocents: 0 })
      expect((await holdfast.usage.totals({ sessionId: idOf(item) })).rows).toBe(0)
    })

    test('keeps every message, each call answered once, directly after it', async () => {
      const holdfast = await imported()
      const messages = await allMessages(await holdfast.sessions.open(idOf(item)))
      expect(pairingFaults(messages)).toEqual([])
      expect(messages.map(({ role }) => role)).toEqual(item.traj.map(({ role }) => role))
      const texts = messages.map(({ parts }) =>
        parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(''),
      )
      const saidBy = (role: string) => role !== 'tool'
      expect(texts.filter((_, at) => saidBy(item.traj[at]?.role ?? ''))).toEqual(
        item.traj.filter(({ role }) => saidBy(role)).map(({ content }) => content ?? ''),
      )
      const outputs = messages.flatMap(({ parts }) =>
        parts.flatMap((part) => (part.type === 'tool_result' ? [part.output] : [])),
      )
      expect(outputs).toEqual(item.traj.filter(({ role }) => role === 'tool').map(({ content }) => content))
    })

    test('keeps what the model wrote as arguments, to the character', async () => {
      const holdfast = await imported()
      const messages = await allMessages(await holdfast.sessions.open(idOf(item)))
      const calls = messages.flatMap(({ parts }) =>
        parts.flatMap((part) => (part.type === 'tool_call' ? [part] : [])),
      )
      const texts = calls.map(({ input, provider }) => provider?.arguments ?? JSON.stringify(input))
      const asked = item.traj.flatMap(({ tool_calls = [] }) =>
        tool_calls.map((call) => call.function.arguments),
      )
      expect(texts).toEqual(asked)
    })

    test('belongs to its user and agent; what the simulated user cost is no cost of the session', async () => {
      const holdfast = await imported()
      expect(await (await holdfast.sessions.open(idOf(item))).view()).toMatchObject({
        agentId: 'tau-bench airline',
        ownerUserId: item.info.task.user_id,
        model: 'gpt-4o',
        metadata: { reward: item.reward, simulatedUserCostUsd: item.info.user_cost },
      })
    })
  },
)

describe('importing again', () => {
  test('an unchanged file changes nothing', async () => {
    const holdfast = await imported()
    const before = await seqs(holdfast)
    expect(await importFile(holdfast, path)).toMatchObject({ newSessions: 0, events: 0 })
    expect(await seqs(holdfast)).toEqual(before)
  })

  test('a conversation that grew gives what is new, wherever it was cut', async () => {
    const item = raw[0] as Raw
    for (let cut = 0; cut < item.traj.length; cut++) {
      const holdfast = await openMemory()
      const copy = join(temporaryFolder(), 'gpt-4o-airline.json')
      writeFileSync(copy, JSON.stringify([{ ...item, traj: item.traj.slice(0, cut) }]))
      await importFile(holdfast, copy)
      writeFileSync(copy, JSON.stringify([item]))
      await importFile(holdfast, copy)
      const session = await holdfast.sessions.open(idOf(item))
      expect.soft(pairingFaults(await allMessages(session)), `cut after ${cut}`).toEqual([])
      const { roundCount, messageCount } = count(item)
      expect
        .soft((await session.view()).counters, `cut after ${cut}`)
        .toMatchObject({ roundCount, messageCount })
    }
  })

  test('a conversation that begins otherwise now is reported, and nothing is added', async () => {
    const holdfast = await openMemory()
    const copy = join(temporaryFolder(), 'gpt-4o-airline.json')
    const item = raw[1] as Raw
    writeFileSync(copy, JSON.stringify([{ ...item, traj: item.traj.slice(0, 4) }]))
    await importFile(holdfast, copy)
    const before = await seqs(holdfast)
    writeFileSync(
      copy,
      JSON.stringify([{ ...item, traj: item.traj.with(1, { role: 'user', content: 'no' }) }]),
    )
    const { report, failed } = await importPaths(holdfast, [copy])
    expect(report.broken).toHaveLength(1)
    expect(failed).toMatchObject([{ path: copy, code: 'id_taken' }])
    expect(await seqs(holdfast)).toEqual(before)
  })
})

test('an item that is no conversation is named, and the others are imported', async () => {
  const holdfast = await openMemory()
  const copy = join(temporaryFolder(), 'gpt-4o-airline.json')
  writeFileSync(copy, `[${JSON.stringify(raw[0])}, {"task_id": 1}, nonsense, ${JSON.stringify(raw[1])}]`)
  const { report, newSessions } = await importFile(holdfast, copy)
  expect(newSessions).toBe(2)
  expect(report.broken.map(({ line }) => line)).toEqual([2, 3])
})
