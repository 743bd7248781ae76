import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Holdfast } from '@holdfast/core'
import type { JsonObject } from '@holdfast/protocol'
import { describe, expect, test, vi } from 'vitest'
import { importFile } from '../import-paths.ts'
import type { Line } from '../read-lines.ts'
import { sessionIdOf } from '../session-id.ts'
import { allMessages, openMemory, temporaryFolder } from '../testing/imported.ts'
import { Boundaries } from './boundaries.ts'
import { readOutline } from './outline.ts'

const common = { isSidechain: false, sessionId: 's' }

function user(uuid: string, parentUuid: string | null, content: string): JsonObject {
  return { ...common, type: 'user', uuid, parentUuid, message: { role: 'user', content } }
}

function assistant(uuid: string, parentUuid: string | null, text: string): JsonObject {
  const usage = { input_tokens: 10, output_tokens: 5 }
  const message = { id: `msg_${text}`, role: 'assistant', model: 'claude-opus-4-5', usage }
  const content = [{ type: 'text', text }]
  return { ...common, type: 'assistant', uuid, parentUuid, message: { ...message, content } }
}

async function importLines(holdfast: Holdfast, path: string, lines: readonly JsonObject[]) {
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return importFile(holdfast, path)
}

const trunk = sessionIdOf('default', 'claude-code', 'made')

async function said(holdfast: Holdfast, id: string): Promise<(string | undefined)[]> {
  const messages = await allMessages(await holdfast.sessions.open(id))
  return messages.map(({ parts: [part] }) => (part?.type === 'text' ? part.text : part?.type))
}

async function branchesOf(holdfast: Holdfast): Promise<(string | undefined)[][]> {
  const { sessions } = await holdfast.sessions.list({}, { limit: 100 })
  const forks = sessions.filter(({ forkedFrom }) => forkedFrom !== undefined)
  return Promise.all(forks.map(({ id }) => said(holdfast, id)))
}

const first = user('l1', null, 'one')
const second = assistant('l2', 'l1', 'yes')
const third = user('l3', 'l2', 'two')
const fourth = assistant('l4', 'l3', 'yes again')
const told = [first, second, third, fourth]
const progress = { ...common, type: 'progress', uuid: 'p', parentUuid: 'l2', data: { at: 'work' } }

describe('a line that stands twice in the file', () => {
  test.each([
    ['the first', [...told, first], 1],
    ['one in the middle', [first, second, third, third, fourth], 1],
    ['the last', [...told, fourth], 1],
    ['every line', [...told, ...told], 4],
    ['one with another parent', [...told, { ...third, parentUuid: 'l4' }], 1],
    ['one that is no message', [first, second, progress, progress, { ...third, parentUuid: 'p' }, fourth], 1],
  ])('is said once: %s', async (_which, lines, copies) => {
    const holdfast = await openMemory()
    const { report } = await importLines(holdfast, join(temporaryFolder(), 'made.jsonl'), lines)
    expect(await said(holdfast, trunk)).toEqual(['one', 'yes', 'two', 'yes again'])
    expect(await branchesOf(holdfast)).toEqual([])
    expect(report.dropped.get('copies of earlier lines')).toBe(copies)
  })

  test('says nothing new when it came after the last import', async () => {
    const holdfast = await openMemory()
    const path = join(temporaryFolder(), 'made.jsonl')
    await importLines(holdfast, path, told)
    await importLines(holdfast, path, [...told, ...told])
    await importLines(holdfast, path, [...told, ...told, user('l5', 'l4', 'three')])
    expect(await said(holdfast, trunk)).toEqual(['one', 'yes', 'two', 'yes again', 'three'])
    expect(await branchesOf(holdfast)).toEqual([])
  })
})

describe('two lines that have one uuid and say different things', () => {
  const other = user('l3', 'l2', 'two, otherwise')
  const fifth = assistant('l5', 'l3', 'at last')

  test('are two messages: what came after each is said after it', async () => {
    const holdfast = await openMemory()
    const { report } = await importLines(holdfast, join(temporaryFolder(), 'made.jsonl'), [
      ...told,
      other,
      fifth,
    ])
    const repair = 'lines with the uuid of another line, read as lines of their own'
    expect(report.repaired.get(repair)).toBe(1)
    expect(await said(holdfast, trunk)).toEqual(['one', 'yes', 'two, otherwise', 'at last'])
    expect(await branchesOf(holdfast)).toEqual([['one', 'yes', 'two', 'yes again']])
  })

  test('are both said when one follows the other', async () => {
    const holdfast = await openMemory()
    const lines = [...told, { ...other, parentUuid: 'l4' }, fifth]
    await importLines(holdfast, join(temporaryFolder(), 'made.jsonl'), lines)
    expect(await said(holdfast, trunk)).toEqual([
      'one',
      'yes',
      'two',
      'yes again',
      'two, otherwise',
      'at last',
    ])
    expect(await branchesOf(holdfast)).toEqual([])
  })

  test.each([3, 4, 5])('are the same when the file was read before, up to line %i', async (cut) => {
    const holdfast = await openMemory()
    const path = join(temporaryFolder(), 'made.jsonl')
    const lines = [...told, other, fifth]
    for (const read of [lines.slice(0, cut), lines, lines]) await importLines(holdfast, path, read)
    expect(await said(holdfast, trunk)).toEqual(['one', 'yes', 'two, otherwise', 'at last'])
    expect(await branchesOf(holdfast)).toEqual([['one', 'yes', 'two', 'yes again']])
  })

  test('are two branches when each is the end of one', async () => {
    const holdfast = await openMemory()
    const ends = [user('l3', 'l2', 'wrong'), user('l3', 'l2', 'wrong again'), user('l6', 'l2', 'right')]
    await importLines(holdfast, join(temporaryFolder(), 'made.jsonl'), [first, second, ...ends])
    expect(await said(holdfast, trunk)).toEqual(['one', 'yes', 'right'])
    const branches = await branchesOf(holdfast)
    expect(branches.map((branch) => branch.at(-1)).sort()).toEqual(['wrong', 'wrong again'])
  })
})

describe('many branches that were left', () => {
  /** Each turn was first asked otherwise. */
  function turns(count: number): JsonObject[] {
    return Array.from({ length: count }, (_, n) => {
      const before = n === 0 ? null : `answer-${n - 1}`
      const wrong = [
        user(`wrong-${n}`, before, `wrong ${n}`),
        assistant(`lost-${n}`, `wrong-${n}`, `lost ${n}`),
      ]
      return [
        ...wrong,
        user(`right-${n}`, before, `right ${n}`),
        assistant(`answer-${n}`, `right-${n}`, `${n}`),
      ]
    }).flat()
  }

  async function* linesOf(values: readonly JsonObject[]): AsyncGenerator<Line[]> {
    const bytes = Buffer.alloc(0)
    yield values.map((value, at) => ({ number: at + 1, start: at, end: at + 1, bytes, value }))
  }

  test('cost each the way back from its end, and nothing for the others', async () => {
    const lines = turns(30)
    const outline = await readOutline(linesOf(lines), { thread: undefined, whole: false })
    const { branches } = outline
    expect(branches).toHaveLength(30)
    const steps = vi.spyOn(Boundaries.prototype, 'between')
    for (const { last } of branches) {
      steps.mockClear()
      const branch = outline.through(last)
      expect(branch.place(last)).toBe('main')
      expect(steps.mock.calls.length).toBeLessThanOrEqual(last)
    }
    steps.mockRestore()
  })
})

test('uuids that are numbers name lines, and no messages', async () => {
  const holdfast = await openMemory()
  const lines = [user('1', null, 'one'), assistant('2', '1', 'yes'), user('3', '2', 'two')]
  await importLines(holdfast, join(temporaryFolder(), 'made.jsonl'), lines)
  expect(await said(holdfast, trunk)).toEqual(['one', 'yes', 'two'])
})
