import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { importFile } from '../import-paths.ts'
import { openMemory, temporaryFolder } from '../testing/imported.ts'

type Uuids = Record<string, string>

/** A name as a uuid: of the first letters of the alphabet there are enough. */
function uuidOf(name: string): string {
  return `00000000-0000-4000-8000-${Buffer.from(name).toString('hex').padStart(12, '0')}`
}

class File {
  readonly #lines: JsonObject[] = []

  said(name: string, parent: string | undefined, text = name): this {
    return this.#add('user', name, parent, { message: { role: 'user', content: text } })
  }

  answered(name: string, parent: string): this {
    return this.#reply(name, parent, [{ type: 'text', text: name }])
  }

  called(name: string, parent: string): this {
    return this.#reply(name, parent, [{ type: 'tool_use', id: `call-${name}`, name: 'look', input: {} }])
  }

  found(name: string, parent: string): this {
    const content = [{ type: 'tool_result', tool_use_id: `call-${parent}`, content: name }]
    return this.#add('user', name, parent, { message: { role: 'user', content } })
  }

  /** The summary is named so; its boundary `b` and that. */
  summedUp(after: string, about: JsonObject, name = 's'): this {
    const boundary = { subtype: 'compact_boundary', logicalParentUuid: uuidOf(after) }
    const compactMetadata = { trigger: 'manual', preTokens: 1_000, ...about }
    this.#add('system', `b${name}`, undefined, { ...boundary, compactMetadata })
    return this.#add('user', name, `b${name}`, {
      message: { role: 'user', content: `summary ${name}` },
      isCompactSummary: true,
    })
  }

  text(): string {
    return this.#lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  }

  #reply(name: string, parent: string, content: JsonObject[]): this {
    const usage = { input_tokens: 1, output_tokens: 1 }
    const message = { role: 'assistant', id: `msg_${name}`, model: 'claude-sonnet-4-5', content, usage }
    return this.#add('assistant', name, parent, { message })
  }

  #add(type: string, name: string, parent: string | undefined, fields: JsonObject): this {
    const timestamp = new Date(Date.UTC(2026, 0, 1) + this.#lines.length * 1_000).toISOString()
    const parentUuid = parent === undefined ? null : uuidOf(parent)
    const own = { uuid: uuidOf(name), parentUuid, timestamp, sessionId: uuidOf('session') }
    this.#lines.push({ type, ...own, ...fields })
    return this
  }
}

const list = (...names: string[]) => {
  return { preservedMessages: { anchorUuid: uuidOf('s'), uuids: names.map(uuidOf) } }
}

const segment = (head: string, tail: string): JsonObject => {
  const uuids: Uuids = { headUuid: uuidOf(head), anchorUuid: uuidOf('s'), tailUuid: uuidOf(tail) }
  return { preservedSegment: uuids }
}

/** Two questions with their answers. */
const talked = () =>
  new File().said('q1', undefined).answered('a1', 'q1').said('q2', 'a1').answered('a2', 'q2')

async function read(file: File) {
  const path = join(temporaryFolder(), `${uuidOf('session')}.jsonl`)
  writeFileSync(path, file.text())
  const holdfast = await openMemory()
  const { report, imported } = await importFile(holdfast, path)
  const [session] = await Promise.all(imported.map(({ sessionId }) => holdfast.sessions.open(sessionId)))
  if (!session) throw new Error('nothing was imported')
  const view = await session.providerView()
  return {
    sessions: imported.length,
    context: view.map(({ parts }) =>
      parts.map((part) => ('text' in part ? part.text.split('\n').at(-1) : part.type)).join(),
    ),
    compactions: (await session.view()).compactions,
    repaired: Object.fromEntries(report.repaired),
    keptOpaque: report.keptOpaque,
  }
}

test('a summary stands for all before it when its boundary names nothing', async () => {
  const { context, compactions } = await read(
    talked().summedUp('a2', {}).said('q3', 's').answered('a3', 'q3'),
  )
  expect(context).toEqual(['summary s', 'q3', 'a3'])
  expect(compactions).toMatchObject([{ from: 1, messagesCovered: 4 }])
})

test.each([
  ['a list', list('q2', 'a2'), 's'],
  ['a list, gone on with from its last', list('q2', 'a2'), 'a2'],
  ['a segment', segment('q2', 'a2'), 's'],
  ['a segment, gone on with from its last', segment('q2', 'a2'), 'a2'],
])('what is kept behind it stays in the context: %s', async (_name, about, parent) => {
  const file = talked().summedUp('a2', about).said('q3', parent).answered('a3', 'q3')
  const { sessions, context, compactions, repaired } = await read(file)
  expect(context).toEqual(['summary s', 'q2', 'a2', 'q3', 'a3'])
  expect(compactions).toMatchObject([{ from: 1, messagesCovered: 2 }])
  expect({ sessions, repaired }).toEqual({ sessions: 1, repaired: {} })
})

test('what is kept before it stays before it', async () => {
  const { context, compactions } = await read(talked().summedUp('a2', list('q1', 'a1')).said('q3', 's'))
  expect(context).toEqual(['q1', 'a1', 'summary s', 'q3'])
  expect(compactions).toMatchObject([{ messagesCovered: 2 }])
})

test('a call and its result stay together, whichever of them is kept', async () => {
  const looked = () => new File().said('q1', undefined).called('c', 'q1').found('r', 'c').answered('a1', 'r')
  const kept = await read(
    looked()
      .summedUp('a1', list('c', 'r', 'a1'))
      .said('q2', 's'),
  )
  expect(kept.context).toEqual(['summary s', 'tool_call', 'tool_result', 'a1', 'q2'])
  const parted = await read(looked().summedUp('a1', list('r', 'a1')).said('q2', 's'))
  expect(parted.context).toEqual(['summary s', 'a1', 'q2'])
})

test('one that is kept between others that are not is covered with them, and that is told', async () => {
  const { context, repaired } = await read(talked().summedUp('a2', list('a1', 'a2')).said('q3', 's'))
  expect(context).toEqual(['summary s', 'a2', 'q3'])
  expect(repaired).toEqual({ 'messages kept inside what a summary stands for, covered by it': 1 })
})

test('lines that are not in the file change nothing', async () => {
  const { context, repaired } = await read(talked().summedUp('a2', list('x', 'y')).said('q3', 's'))
  expect(context).toEqual(['summary s', 'q3'])
  expect(repaired).toEqual({})
  const broken = await read(talked().summedUp('a2', segment('x', 'a2')).said('q3', 's'))
  expect(broken.context).toEqual(['summary s', 'q3'])
})

test('what stood beside one summary may be covered by the next', async () => {
  const file = talked().summedUp('a2', list('q2', 'a2')).said('q3', 's').answered('a3', 'q3')
  const again = await read(file.summedUp('a3', list('q3', 'a3'), 't').said('q4', 'a3'))
  expect(again.context).toEqual(['summary t', 'q3', 'a3', 'q4'])
  expect(again.repaired).toEqual({})
})

test('what stood beside one summary may stand beside the next too', async () => {
  const file = talked().summedUp('a2', list('q2', 'a2')).said('q3', 's').answered('a3', 'q3')
  const again = await read(file.summedUp('a3', list('a2', 'q3', 'a3'), 't').said('q4', 't'))
  expect(again.context).toEqual(['summary t', 'a2', 'q3', 'a3', 'q4'])
  expect(again.repaired).toEqual({})
})

test('a stretch that parts an earlier one is taken as all that was said before, and that is told', async () => {
  const file = talked().summedUp('a2', list('q2', 'a2')).said('q3', 's').answered('a3', 'q3')
  const kept = list('a1', 'q2', 'a2', 'q3', 'a3')
  const { context, repaired } = await read(file.summedUp('a3', kept, 't').said('q4', 't'))
  expect(context).toEqual(['summary t', 'q4'])
  expect(repaired).toEqual({ 'messages kept beside a summary, covered by it': 1 })
})
