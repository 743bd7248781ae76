import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnySession, Holdfast } from '@holdfast/core'
import type { JsonObject } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { exportSession } from '../export-session.ts'
import { importFile } from '../import-paths.ts'
import { openMemory, temporaryFolder } from '../testing/imported.ts'

function uuidOf(name: string): string {
  return `00000000-0000-4000-8000-${Buffer.from(name).toString('hex').padStart(12, '0')}`
}

class Transcript {
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

  /** The line once more, with a uuid of its own. */
  copied(name: string, parent: string): this {
    const line = this.#lines.find(({ uuid }) => uuid === uuidOf(name))
    const own = { uuid: uuidOf(`${name}c`), parentUuid: uuidOf(parent) }
    this.#lines.push({ ...line, ...own })
    return this
  }

  through(line: number): Transcript {
    const beginning = new Transcript()
    beginning.#lines.push(...this.#lines.slice(0, line))
    return beginning
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
  const uuids = { headUuid: uuidOf(head), anchorUuid: uuidOf('s'), tailUuid: uuidOf(tail) }
  return { preservedSegment: uuids }
}

/** Two questions with their answers. */
const talked = () =>
  new Transcript().said('q1', undefined).answered('a1', 'q1').said('q2', 'a1').answered('a2', 'q2')

async function read(file: Transcript) {
  const path = join(temporaryFolder(), `${uuidOf('session')}.jsonl`)
  writeFileSync(path, file.text())
  const holdfast = await openMemory()
  return { path, holdfast, ...(await importInto(holdfast, path)) }
}

async function importInto(holdfast: Holdfast, path: string) {
  const { report, imported, events } = await importFile(holdfast, path)
  const sessions = await Promise.all(imported.map(({ sessionId }) => holdfast.sessions.open(sessionId)))
  const contexts = await Promise.all(sessions.map(contextOf))
  return {
    contexts,
    context: contexts[0],
    compactions: (await sessions[0]?.view())?.compactions,
    repaired: Object.fromEntries(report.repaired),
    events,
  }
}

async function written(holdfast: Holdfast, id: string): Promise<string> {
  const pieces: string[] = []
  await exportSession(holdfast, id, 'claude-code', {
    write: async (piece) => {
      pieces.push(piece)
    },
  })
  return pieces.join('')
}

/** The last line of each part. */
async function contextOf(session: AnySession): Promise<string[]> {
  const view = await session.providerView()
  return view.map(({ parts }) =>
    parts.map((part) => ('text' in part ? part.text.split('\n').at(-1) : part.type)).join(),
  )
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
  const { contexts, context, compactions, repaired } = await read(file)
  expect(context).toEqual(['summary s', 'q2', 'a2', 'q3', 'a3'])
  expect(compactions).toMatchObject([{ from: 1, messagesCovered: 2 }])
  expect({ sessions: contexts.length, repaired }).toEqual({ sessions: 1, repaired: {} })
})

test('what is kept before it stays before it', async () => {
  const { context, compactions } = await read(talked().summedUp('a2', list('q1', 'a1')).said('q3', 's'))
  expect(context).toEqual(['q1', 'a1', 'summary s', 'q3'])
  expect(compactions).toMatchObject([{ messagesCovered: 2 }])
})

test('a call and its result stay together, whichever of them is kept', async () => {
  const looked = () =>
    new Transcript().said('q1', undefined).called('c', 'q1').found('r', 'c').answered('a1', 'r')
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
  expect(repaired).toEqual({ 'lines kept beside a summary, covered by it': 1 })
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

test('what an earlier summary stands for is covered by the next one, also where it is named, and that is told', async () => {
  const file = talked().summedUp('a2', list('q2', 'a2')).said('q3', 's').answered('a3', 'q3')
  const kept = list('a1', 'q2', 'a2', 'q3', 'a3')
  const { context, repaired } = await read(file.summedUp('a3', kept, 't').said('q4', 't'))
  expect(context).toEqual(['summary t', 'q2', 'a2', 'q3', 'a3', 'q4'])
  expect(repaired).toEqual({ 'lines kept beside a summary, covered by it': 1 })
})

test('a stretch that begins too far back is taken as all that was said before, and that is told', async () => {
  const file = talked()
  for (let n = 3; n < 1_000; n++) file.said(`q${n}`, `a${n - 1}`).answered(`a${n}`, `q${n}`)
  const { context, repaired } = await read(file.summedUp('a999', list('q1', 'a1', 'a999')).said('q', 's'))
  expect(context).toEqual(['summary s', 'q'])
  expect(repaired).toEqual({ 'summaries that cover what was kept beside them too': 1 })
})

test('an earlier summary that is kept goes on standing for what it stood for', async () => {
  const file = talked().summedUp('a2', list('q2', 'a2')).said('q3', 's').answered('a3', 'q3')
  const { context, repaired } = await read(file.summedUp('a3', list('s', 'q2', 'a2'), 't').said('q4', 't'))
  expect(context).toEqual(['summary s', 'q2', 'a2', 'summary t', 'q4'])
  expect(repaired).toEqual({})
})

test('when all is kept a summary stands for nothing that was said', async () => {
  const file = talked()
    .summedUp('a2', list('q1', 'a1', 'q2', 'a2'))
    .said('q3', 's')
  const { context, compactions } = await read(file)
  expect(context).toEqual(['summary s', 'q1', 'a1', 'q2', 'a2', 'q3'])
  expect(compactions).toMatchObject([{ messagesCovered: 0 }])
})

test('what is in the middle goes, with how much it was', async () => {
  const file = talked()
    .said('q3', 'a2')
    .answered('a3', 'q3')
    .summedUp('a3', list('q1', 'a1', 'a3'))
  const { context, compactions, repaired } = await read(file.said('q4', 's'))
  expect(context).toEqual(['q1', 'a1', 'summary s', 'a3', 'q4'])
  expect(compactions).toMatchObject([{ messagesCovered: 3 }])
  expect(repaired).toEqual({})
})

test('results beside the way from the last to the first are kept with their calls', async () => {
  const file = talked().called('c', 'a2').found('r', 'c').answered('a3', 'c')
  const { context } = await read(file.summedUp('a3', segment('q2', 'a3')).said('q3', 's'))
  expect(context).toEqual(['summary s', 'q2', 'a2', 'tool_call', 'tool_result', 'a3', 'q3'])
})

test('a file that grew line by line is read as it is when it is read at once', async () => {
  const whole = talked().summedUp('a2', list('q2', 'a2')).said('q3', 's').answered('a3', 'q3')
  const lines = whole.text().trimEnd().split('\n')
  for (let cut = 1; cut < lines.length; cut++) {
    const { holdfast, path } = await read(whole.through(cut))
    writeFileSync(path, whole.text())
    const grown = await importInto(holdfast, path)
    expect(grown.context).toEqual(['summary s', 'q2', 'a2', 'q3', 'a3'])
    expect(grown.compactions).toMatchObject([{ trigger: 'manual', tokensBefore: 1_000 }])
    expect((await importInto(holdfast, path)).events).toBe(0)
  }
})

test('after the user went back, what is kept is what was said since', async () => {
  const before = talked()
  const { holdfast, path } = await read(before)
  const after = before
    .said('q3', 'a1')
    .answered('a3', 'q3')
    .summedUp('a3', list('a1', 'q3', 'a3'))
  writeFileSync(path, after.said('q4', 's').text())
  const { context, compactions } = await importInto(holdfast, path)
  expect(context).toEqual(['summary s', 'a1', 'q3', 'a3', 'q4'])
  expect(compactions).toMatchObject([{ messagesCovered: 1 }])
})

test('a branch that was left keeps what its own compaction kept', async () => {
  const file = talked().summedUp('a2', list('q2', 'a2')).said('q3', 's').said('q4', 'a1').answered('a4', 'q4')
  const { contexts } = await read(file)
  expect(contexts).toEqual([
    ['q1', 'a1', 'q4', 'a4'],
    ['summary s', 'q2', 'a2', 'q3'],
  ])
})

test('lines that were written anew are kept where they were said', async () => {
  const file = talked().copied('q2', 'a1').copied('a2', 'q2c').said('q3', 'a2c').answered('a3', 'q3')
  const { contexts } = await read(file.summedUp('a3', list('a2c', 'q3', 'a3')).said('q4', 's'))
  expect(contexts).toEqual([['summary s', 'a2', 'q3', 'a3', 'q4']])
})

test('an imported session that is written and read again keeps the same', async () => {
  const file = talked().called('c', 'a2').found('r', 'c').answered('a3', 'r')
  const { holdfast, path, context } = await read(
    file.summedUp('a3', segment('q2', 'a3')).said('q3', 's').answered('a4', 'q3'),
  )
  expect(context).toEqual(['summary s', 'q2', 'a2', 'tool_call', 'tool_result', 'a3', 'q3', 'a4'])
  const [session] = (await holdfast.sessions.list()).sessions
  writeFileSync(path, await written(holdfast, session?.id ?? ''))
  const again = await importInto(await openMemory(), path)
  expect(again.contexts).toEqual([context])
  expect(again.repaired).toEqual({})
})

test('two stretches with a summary each are written and read again', async () => {
  const holdfast = await openMemory()
  const session = await (await holdfast.sessions.create({ agentId: 'agent' })).activate()
  const said = ['one', 'two', 'three', 'four', 'five'].map((text) => {
    return { role: 'user' as const, parts: [{ type: 'text' as const, text }] }
  })
  const { messages } = await session.append(said)
  for (const n of [1, 3]) {
    const seq = messages[n]?.seq ?? 0
    const figures = { messagesCovered: 1, tokensBefore: 100, tokensAfter: 10 }
    const record = { compactionId: `c${n}`, trigger: 'manual' as const, from: seq, to: seq, ...figures }
    const pathSeq = Number((await session.contextState()).pathSeq)
    await session.compact({ record, pathSeq, summary: `summary ${n}`, summaryTokens: 5 })
  }
  expect(await contextOf(session)).toEqual(['one', 'summary 1', 'three', 'summary 3', 'five'])
  const path = join(temporaryFolder(), `${session.id}.jsonl`)
  writeFileSync(path, await written(holdfast, session.id))
  const { contexts } = await importInto(await openMemory(), path)
  expect(contexts).toEqual([['one', 'summary 1', 'three', 'summary 3', 'five']])
})

test('what a compaction of a branch that was left covered stands in the conversation that went on without it', async () => {
  const left = talked().summedUp('a2', list('q2', 'a2')).said('q3', 's')
  const file = left.said('q4', 'a1').answered('a4', 'q4')
  const { contexts, repaired } = await read(file.summedUp('a4', list('a1', 'q4', 'a4'), 't').said('q5', 't'))
  expect(contexts).toEqual([
    ['summary t', 'a1', 'q4', 'a4', 'q5'],
    ['summary s', 'q2', 'a2', 'q3'],
  ])
  expect(repaired).toEqual({})
})
