import { appendFileSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { AnySession, Holdfast } from '@holdfast/core'
import { describe, expect, test } from 'vitest'
import { exportSession } from '../export-session.ts'
import { importFile as importOne, importPaths } from '../import-paths.ts'
import { priceBy } from '../price.ts'
import { sessionIdOf } from '../session-id.ts'
import { countClaudeCode, thoughtsOf } from '../testing/claude-code-count.ts'
import {
  allEvents,
  allMessages,
  openMemory,
  pairingFaults,
  seqs,
  temporaryFolder,
  transcripts,
} from '../testing/imported.ts'

const folder = join(transcripts, 'claude-code')
const poems = '0ccf1a04-1b4c-43b6-8aa5-79e41db43a68'
const search = '4b2030ed-5563-49ea-b703-6a002f2d3cc8'
const poets = ['a5bdbc1', 'a9cad17', 'aa5ef13', 'ac27727', 'afbbf75']

const conversations = [
  { source: poems, file: `${poems}.jsonl` },
  ...poets.map((agent) => ({ source: `${poems}/${agent}`, file: `${poems}/subagents/agent-${agent}.jsonl` })),
  { source: search, file: `${search}.jsonl` },
  { source: `${search}/a2018e5`, file: `${search}/subagents/agent-a2018e5.jsonl` },
]

const opus = priceBy(
  {
    prices: {
      'anthropic/claude-opus-4-5': {
        prompt: 500e6,
        completion: 2500e6,
        cachedRead: 50e6,
        cachedWrite: 625e6,
      },
      'anthropic/claude-haiku-4-5': {
        prompt: 100e6,
        completion: 500e6,
        cachedRead: 10e6,
        cachedWrite: 125e6,
      },
    },
    aliases: [
      ['anthropic/claude-opus-4-5*', 'anthropic/claude-opus-4-5'],
      ['anthropic/claude-haiku-4-5*', 'anthropic/claude-haiku-4-5'],
    ],
  },
  'list',
)

function idOf(source: string): string {
  return sessionIdOf('default', 'claude-code', source)
}

function importFile(holdfast: Holdfast, path: string) {
  return importOne(holdfast, path, { prices: async () => opus })
}

async function importBoth(): Promise<Holdfast> {
  const holdfast = await openMemory()
  for (const source of [poems, search]) await importFile(holdfast, join(folder, `${source}.jsonl`))
  return holdfast
}

describe('the bundled Claude Code sessions', () => {
  test.each(conversations)('$source counts what its file says', async ({ source, file }) => {
    const holdfast = await importBoth()
    const { counters } = await (await holdfast.sessions.open(idOf(source))).view()
    expect(counters).toMatchObject(countClaudeCode(join(folder, file)))
  })

  test('turns and exchanges are what was asked and answered', async () => {
    const holdfast = await importBoth()
    const { counters } = await (await holdfast.sessions.open(idOf(poems))).view()
    expect(counters).toMatchObject({ turnCount: 7, exchangeCount: 7, costUnknown: 0 })
  })

  test.each(conversations)(
    '$source has every tool call answered once, directly after it',
    async ({ source }) => {
      const holdfast = await importBoth()
      expect(pairingFaults(await allMessages(await holdfast.sessions.open(idOf(source))))).toEqual([])
    },
  )

  test.each(conversations)(
    '$source keeps thoughts and their signatures byte for byte',
    async ({ source, file }) => {
      const holdfast = await importBoth()
      const messages = await allMessages(await holdfast.sessions.open(idOf(source)))
      const kept = messages.flatMap(({ parts }) =>
        parts.flatMap((part) =>
          part.type === 'reasoning' ? [{ text: part.text, signature: part.signature }] : [],
        ),
      )
      expect(kept).toEqual(thoughtsOf(join(folder, file)))
    },
  )

  test('the cost is the list price of the tokens', async () => {
    const holdfast = await importBoth()
    const { counters } = await (await holdfast.sessions.open(idOf(`${search}/a2018e5`))).view()
    // Opus 4.5 in dollars per million: 5 for plain input, 6.25 cache write, 0.50 cache read, 25 output.
    const dollars = (4 * 5 + 12_675 * 6.25 + 11_560 * 0.5 + 8 * 25) / 1e6
    expect(counters.costMicrocents).toBe(Math.round(dollars * 1e8))
  })

  test('sub-agents are children: parent, root and depth, told of and finished in the parent', async () => {
    const holdfast = await importBoth()
    const tree = await holdfast.sessions.tree(idOf(poems))
    const expected = {
      lineage: 'child',
      parentSessionId: idOf(poems),
      rootSessionId: idOf(poems),
      spawnDepth: 1,
    }
    expect(tree.children.map(({ session }) => session.id).sort()).toEqual(
      poets.map((agent) => idOf(`${poems}/${agent}`)).sort(),
    )
    for (const { session } of tree.children) expect(session).toMatchObject(expected)
    const events = await allEvents(await holdfast.sessions.open(idOf(poems)))
    const ofType = (type: string) =>
      events
        .filter((event) => event.type === type)
        .map(({ data }) => data as { childId: string; callId?: string })
    expect(ofType('child.spawned').map(({ callId }) => callId)).toHaveLength(5)
    expect(ofType('child.spawned').every(({ callId }) => callId?.startsWith('toolu_'))).toBe(true)
    expect(
      ofType('child.finished')
        .map(({ childId }) => childId)
        .sort(),
    ).toEqual(
      ofType('child.spawned')
        .map(({ childId }) => childId)
        .sort(),
    )
  })

  test('events have the times of the file, each its own', async () => {
    const holdfast = await importBoth()
    const session = await holdfast.sessions.open(idOf(search))
    const events = await allEvents(session)
    const timeOf = (type: string) => events.find((event) => event.type === type)?.at
    expect(timeOf('session.created')).toBe('2026-01-21T20:52:08.342Z')
    expect(timeOf('message.appended')).toBe('2026-01-21T20:53:19.229Z')
    expect(timeOf('tool.called')).toBe('2026-01-21T20:53:24.145Z')
    expect(timeOf('tool.finished')).toBe('2026-01-21T20:54:11.389Z')
    expect(await session.view()).toMatchObject({
      updatedAt: '2026-01-21T20:54:17.054Z',
      title: expect.stringContaining('spawn a subagent'),
    })
  })

  test('lines that are no messages are kept as notes, the abandoned branch too', async () => {
    const holdfast = await importBoth()
    const events = await allEvents(await holdfast.sessions.open(idOf(poems)))
    const raw = readFileSync(join(folder, `${poems}.jsonl`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const notes = events.flatMap(({ type, data }) =>
      type === 'note.added' ? [data as { kind: string; data: unknown }] : [],
    )
    const keptAs = (kind: string) =>
      notes.filter((note) => note.kind === `claude_code.${kind}`).map((note) => note.data)
    for (const type of ['queue-operation', 'system', 'file-history-snapshot', 'summary', 'progress']) {
      expect(keptAs(type)).toEqual(raw.filter((line) => line.type === type))
    }
    expect(keptAs('abandoned_branch')).toEqual([raw[81], raw[82]])
  })
})

describe('importing again', () => {
  test('an unchanged file changes nothing', async () => {
    const holdfast = await importBoth()
    const before = await seqs(holdfast)
    const again = await importFile(holdfast, join(folder, `${poems}.jsonl`))
    expect(again).toMatchObject({ newSessions: 0, events: 0, filesUnchanged: 1, sessions: 0 })
    expect(await seqs(holdfast)).toEqual(before)
  })

  test('a cut between two turns leaves no trace', async () => {
    const lines = readFileSync(join(folder, `${poems}.jsonl`), 'utf8')
      .trimEnd()
      .split('\n')
    const holdfast = await openMemory()
    const path = copyOf(poems)
    writeFileSync(path, `${lines.slice(0, 59).join('\n')}\n`)
    await importFile(holdfast, path)
    writeFileSync(path, `${lines.join('\n')}\n`)
    await importFile(holdfast, path)
    const atOnce = await importBoth()
    const content = async (from: Holdfast) =>
      (await allMessages(await from.sessions.open(idOf(poems)))).map(
        ({ role, parts, phase, finish, at }) => ({ role, parts, phase, finish, at }),
      )
    expect(await content(holdfast)).toEqual(await content(atOnce))
  })

  test('a user who went back since the last import leads the session to the other branch', async () => {
    const holdfast = await openMemory()
    const path = join(temporaryFolder(), 'made.jsonl')
    const [first, ...branch] = [
      prompt('p', null, 'one'),
      prompt('q', 'm1', 'two, wrongly'),
      answer('m2', 'q', 'no'),
    ]
    writeFileSync(path, `${[first, answer('m1', 'p', 'yes'), ...branch].join('\n')}\n`)
    await importFile(holdfast, path)
    appendFileSync(path, `${prompt('r', 'm1', 'two')}\n${answer('m3', 'r', 'yes again')}\n`)
    await importFile(holdfast, path)
    const session = await holdfast.sessions.open(idOf('made'))
    const texts = (await allMessages(session)).flatMap(({ parts }) =>
      parts.map((part) => part.type === 'text' && part.text),
    )
    expect(texts).toEqual(['one', 'yes', 'two', 'yes again'])
    expect((await session.view()).counters).toMatchObject({
      messageCount: 4,
      exchangeCount: 2,
      promptTokens: 30,
    })
    expect((await importFile(holdfast, path)).events).toBe(0)
  })

  test('a file whose imported part was changed is reported, and nothing is added', async () => {
    const holdfast = await openMemory()
    const path = copyOf(search)
    await importFile(holdfast, path)
    const before = await seqs(holdfast)
    const text = readFileSync(path, 'utf8')
    writeFileSync(
      path,
      `${text.replace(/turn_duration/, 'turn_duratioN')}{"type":"summary","summary":"more"}\n`,
    )
    const { report, failed } = await importPaths(holdfast, [path])
    expect(report.broken).toEqual([
      expect.objectContaining({ line: 12, reason: expect.stringContaining('nothing was added') }),
    ])
    expect(failed).toMatchObject([{ path, code: 'id_taken' }])
    expect(await seqs(holdfast)).toEqual(before)
  })

  test('tenants have sessions of their own', async () => {
    const holdfast = await importBoth()
    const other = holdfast.forTenant('other')
    const { newSessions } = await importFile(other, join(folder, `${search}.jsonl`))
    expect(newSessions).toBe(2)
  })
})

describe('a branch that was left', () => {
  const told = [
    prompt('p', null, 'one'),
    answer('m1', 'p', 'yes'),
    prompt('q', 'm1', 'two, wrongly'),
    call('a', 'q', 'c1'),
    result('r', 'a', 'c1'),
    answer('m2', 'r', 'no'),
    prompt('s', 'm1', 'two'),
    answer('m3', 's', 'yes again'),
  ]
  const said = async (session: AnySession) =>
    (await allMessages(session)).map(({ parts: [part] }) => (part?.type === 'text' ? part.text : part?.type))
  const branchesOf = async (holdfast: Holdfast) => {
    const { sessions } = await holdfast.sessions.list({}, { limit: 100 })
    return sessions.filter(({ forkedFrom }) => forkedFrom !== undefined)
  }

  test('is a fork from where they parted, and says of which file it is', async () => {
    const { holdfast } = await importLines(told)
    const trunk = await holdfast.sessions.open(idOf('made'))
    expect(await said(trunk)).toEqual(['one', 'yes', 'two', 'yes again'])
    const [branch, ...others] = await branchesOf(holdfast)
    expect(others).toEqual([])
    expect(branch).toMatchObject({ id: idOf('made/m2'), forkedFrom: { sessionId: trunk.id } })
    const session = await holdfast.sessions.open(idOf('made/m2'))
    expect(await said(session)).toEqual(['one', 'yes', 'two, wrongly', 'tool_call', 'tool_result', 'no'])
    expect((await session.view()).metadata).toMatchObject({
      source: { format: 'claude-code', sourceId: 'made', branch: 'm2' },
    })
  })

  test('was paid for once, in the session that it was left in', async () => {
    const { holdfast } = await importLines(told)
    const trunk = await (await holdfast.sessions.open(idOf('made'))).view()
    const totals = await holdfast.usage.totals()
    expect(totals.promptTokens).toBe(trunk.counters.promptTokens)
    expect(totals.promptTokens).toBeGreaterThan(0)
  })

  test.each(told.map((_, at) => at))(
    'is the same when the file was read before, up to line %i',
    async (cut) => {
      const holdfast = await openMemory()
      const path = join(temporaryFolder(), 'made.jsonl')
      for (const lines of [told.slice(0, cut), told, told]) {
        writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
        await importOne(holdfast, path, { format: 'claude-code' })
      }
      expect((await branchesOf(holdfast)).map(({ id }) => id)).toEqual([idOf('made/m2')])
      const session = await holdfast.sessions.open(idOf('made/m2'))
      expect(await said(session)).toEqual(['one', 'yes', 'two, wrongly', 'tool_call', 'tool_result', 'no'])
      expect(pairingFaults(await allMessages(session))).toEqual([])
    },
  )

  test('that begins inside a turn has the beginning of that turn too', async () => {
    const { holdfast } = await importLines([
      prompt('p', null, 'go'),
      call('a', 'p', 'c1'),
      result('r', 'a', 'c1'),
      prompt('q', 'r', 'not so'),
      prompt('s', 'r', 'like this'),
      answer('m3', 's', 'done'),
    ])
    const [branch] = await branchesOf(holdfast)
    const session = await holdfast.sessions.open(branch?.id ?? '')
    expect(await said(session)).toEqual(['go', 'tool_call', 'tool_result', 'not so'])
  })

  test('is written as a file of its own; the file of the session keeps its lines', async () => {
    const { holdfast } = await importLines(told)
    const written = async (id: string) => {
      const lines: string[] = []
      const write = async (line: string) => void lines.push(line)
      await exportSession(holdfast, id, 'claude-code', { write })
      const text = lines.join('')
      const path = join(temporaryFolder(), 'written.jsonl')
      writeFileSync(path, text)
      const other = await openMemory()
      await importFile(other, path)
      return { text, said: await said(await other.sessions.open(idOf('written'))) }
    }
    const branch = await written(idOf('made/m2'))
    expect(branch.said).toEqual(['one', 'yes', 'two, wrongly', 'tool_call', 'tool_result', 'no'])
    expect(branch.text).not.toContain('"sessionId":"made"')
    const trunk = await written(idOf('made'))
    expect(trunk.said).toEqual(['one', 'yes', 'two', 'yes again'])
    for (const line of told.slice(2, 6)) expect(trunk.text).toContain(line)
  })
})

describe('faults in a file', () => {
  test('broken lines are named with file and line, and the rest is imported', async () => {
    const holdfast = await openMemory()
    const path = copyOf(search)
    const [first = '', ...rest] = readFileSync(path, 'utf8').split('\n')
    writeFileSync(path, [first, '{"type":"user", broken', '', ...rest].join('\n'))
    const { report } = await importFile(holdfast, path)
    expect(report.broken).toEqual([{ file: basename(path), line: 2, reason: 'line: not JSON.' }])
    const { counters } = await (await holdfast.sessions.open(idOf(search))).view()
    expect(counters).toMatchObject(countClaudeCode(join(folder, `${search}.jsonl`)))
  })

  test('a broken line inside the conversation does not cut off what was before it', async () => {
    const holdfast = await openMemory()
    const path = copyOf(search)
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    lines[9] = '{'
    writeFileSync(path, `${lines.join('\n')}\n`)
    const { report } = await importFile(holdfast, path)
    expect(report.repaired.get('lines whose parent is missing, joined to the line before')).toBe(1)
    expect(await allMessages(await holdfast.sessions.open(idOf(search)))).toHaveLength(4)
  })

  test('a last line that is still being written is left for the next time', async () => {
    const holdfast = await openMemory()
    const path = copyOf(search)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.slice(0, -300))
    const { report } = await importFile(holdfast, path)
    expect(report.broken).toEqual([])
    writeFileSync(path, text)
    await importFile(holdfast, path)
    const { counters } = await (await holdfast.sessions.open(idOf(search))).view()
    expect(counters).toMatchObject(countClaudeCode(join(folder, `${search}.jsonl`)))
  })

  test('text that no store can hold is repaired and counted', async () => {
    const { holdfast, report } = await importLines([
      prompt('p', null, 'half a \\ud83d pair'),
      answer('m', 'p', 'fine'),
    ])
    expect(report.repaired.get('lines with text no store can hold')).toBe(1)
    const [first] = await allMessages(await holdfast.sessions.open(idOf('made')))
    expect(first?.parts).toEqual([{ type: 'text', text: 'half a \ufffd pair' }])
  })

  test('a result without a call is a note, a call without a result is closed as unknown', async () => {
    const { holdfast, report } = await importLines([
      prompt('p', null, 'go'),
      result('r', 'p', 'nobody'),
      call('a', 'r', 'open'),
      answer('m', 'a', 'never mind'),
    ])
    expect(report.keptOpaque.get('orphan_result')).toBe(1)
    const messages = await allMessages(await holdfast.sessions.open(idOf('made')))
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant'])
    expect(messages[2]?.parts[0]).toMatchObject({ callId: 'open', outcome: 'unknown' })
  })
})

describe('shapes that the bundled files do not have', () => {
  test('a sub-agent inside the file of its parent is a child too, found by its prompt', async () => {
    const side = { isSidechain: true }
    const { holdfast } = await importLines([
      prompt('p', null, 'ask somebody'),
      call('a', 'p', 'task-1', { prompt: 'count to three', subagent_type: 'counter' }),
      prompt('s1', null, 'count to three', side),
      answer('s2', 's1', 'one two three', side),
      result('r', 'a', 'task-1'),
      answer('m', 'r', 'done'),
    ])
    const { session, children } = await holdfast.sessions.tree(idOf('made'))
    expect(session.counters).toMatchObject({ messageCount: 4, roundCount: 2, turnCount: 1 })
    expect(children.map((child) => child.session)).toMatchObject([
      { agentId: 'claude-code counter', counters: { messageCount: 2, turnCount: 1 } },
    ])
  })

  test('tokens of an abandoned branch were paid for: they count, its messages do not', async () => {
    const { holdfast, report } = await importLines([
      prompt('p', null, 'first try'),
      answer('m1', 'p', 'no good'),
      prompt('q', null, 'second try'),
      answer('m2', 'q', 'good'),
    ])
    const { counters } = await (await holdfast.sessions.open(idOf('made'))).view()
    expect(counters).toMatchObject({ messageCount: 2, roundCount: 1, promptTokens: 20, completionTokens: 4 })
    expect(report.keptOpaque.get('abandoned_branch')).toBe(2)
  })

  test('an interrupted turn is a cancelled run and no turn', async () => {
    const { holdfast } = await importLines([
      prompt('p', null, 'go'),
      call('a', 'p', 'c1'),
      result('r', 'a', 'c1'),
      prompt('i', 'r', '[Request interrupted by user]'),
      prompt('q', 'i', 'go on'),
      answer('m', 'q', 'done'),
    ])
    const session = await holdfast.sessions.open(idOf('made'))
    expect((await session.view()).counters).toMatchObject({ turnCount: 1, roundCount: 2, exchangeCount: 1 })
    const ends = (await allEvents(session)).filter(({ type }) => /^run\.(completed|cancelled)/.test(type))
    expect(ends.map(({ type }) => type)).toEqual(['run.cancelled', 'run.completed'])
  })

  test('a turn larger than a commit is cut between rounds and stays one turn', async () => {
    const rounds = 900
    const lines = [prompt('p', null, 'work')]
    for (let n = 0; n < rounds; n++) {
      const before = n === 0 ? 'p' : `r${n - 1}`
      lines.push(call(`a${n}`, before, `c${n}`), result(`r${n}`, `a${n}`, `c${n}`))
    }
    lines.push(answer('end', `r${rounds - 1}`, 'done'))
    const { holdfast } = await importLines(lines)
    const session = await holdfast.sessions.open(idOf('made'))
    expect((await session.view()).counters).toMatchObject({
      turnCount: 1,
      roundCount: rounds + 1,
      exchangeCount: 1,
    })
    expect(pairingFaults(await allMessages(session))).toEqual([])
  })

  test('an unknown model has an unknown cost', async () => {
    const { holdfast } = await importLines([
      prompt('p', null, 'hi'),
      answer('m', 'p', 'hi', { model: 'claude-unheard-of' }),
    ])
    const { counters } = await (await holdfast.sessions.open(idOf('made'))).view()
    expect(counters).toMatchObject({ promptTokens: 10, costMicrocents: 0, costUnknown: 1 })
  })
})

test('of two calls with one id in a message the second is kept as data; a later message may have the id again', async () => {
  const twice = [1, 2].map((nth) => ({ type: 'tool_use', id: 't1', name: 'Bash', input: { nth } }))
  const { holdfast, report } = await importLines([
    prompt('u1', null, 'Go.'),
    assistant('a1', 'u1', twice),
    result('u2', 'a1', 't1'),
    call('a2', 'u2', 't1'),
    result('u3', 'a2', 't1'),
    answer('a3', 'u3', 'Done.'),
  ])
  expect(report.repaired.get('calls with the id of another call, kept as data')).toBe(1)
  const { sessions } = await holdfast.sessions.list({}, { limit: 1 })
  const messages = await allMessages(await holdfast.sessions.open(sessions[0]?.id ?? ''))
  expect(messages.map(({ role, parts }) => [role, ...parts.map(({ type }) => type)])).toEqual([
    ['user', 'text'],
    ['assistant', 'tool_call', 'data'],
    ['tool', 'tool_result'],
    ['assistant', 'tool_call'],
    ['tool', 'tool_result'],
    ['assistant', 'text'],
  ])
})

describe('a message with more in it than one may have', () => {
  const callIds = (count: number) => Array.from({ length: count }, (_, nth) => `c${nth}`)
  const use = (id: string) => ({ type: 'tool_use', id, name: 'Read', input: { file: id } })
  const inOneLine = (count: number) => [assistant('a', 'p', callIds(count).map(use))]
  const onLinesOfTheirOwn = (count: number) =>
    callIds(count).map((id, nth) =>
      assistant(`a${nth}`, nth === 0 ? 'p' : `a${nth - 1}`, [use(id)], { id: 'msg_a' }),
    )
  const answered = (count: number, parent: string) =>
    callIds(count).map((id) => result(`r-${id}`, parent, id, { output: `of ${id}` }))
  const ofMany = (count: number) => [
    prompt('p', null, 'read them all'),
    ...onLinesOfTheirOwn(count),
    ...answered(count, `a${count - 1}`),
    answer('end', `r-c${count - 1}`, 'done'),
  ]
  const madeOf = async (holdfast: Holdfast) => {
    const session = await holdfast.sessions.open(idOf('made'))
    const messages = await allMessages(session)
    expect(pairingFaults(messages)).toEqual([])
    const { counters } = await session.view()
    return { session, messages, counters, content: messages.map(({ role, parts }) => ({ role, parts })) }
  }

  test.each([
    ['on lines of their own', onLinesOfTheirOwn, 'a199'],
    ['in one line', inOneLine, 'a'],
  ])('is several, each answered before the next: calls %s', async (_where, calls, last) => {
    const { holdfast, report } = await importLines([
      prompt('p', null, 'read them all'),
      ...calls(200),
      ...answered(200, last),
      answer('end', 'r-c199', 'done'),
    ])
    const { messages, counters } = await madeOf(holdfast)
    expect(messages.map(({ role, parts }) => `${role} ${parts.length}`)).toEqual([
      'user 1',
      ...['assistant 128', ...Array(128).fill('tool 1')],
      ...['assistant 72', ...Array(72).fill('tool 1')],
      'assistant 1',
    ])
    const parts = messages.flatMap((message) => message.parts)
    const found = (type: string) => parts.filter((part) => part.type === type)
    expect(found('tool_call')).toMatchObject(
      callIds(200).map((callId) => ({ callId, input: { file: callId } })),
    )
    expect(found('tool_result')).toMatchObject(
      callIds(200).map((callId) => ({ callId, output: `of ${callId}` })),
    )
    expect(messages.flatMap(({ role, id }) => (role === 'assistant' ? [id] : []))).toEqual([
      'msg_a',
      expect.not.stringContaining('msg_'),
      'msg_end',
    ])
    expect(counters).toMatchObject({ roundCount: 2, turnCount: 1, exchangeCount: 1, promptTokens: 20 })
    expect(report.repaired.get('messages with more calls or parts than one may have, split')).toBe(1)
  })

  test('is several by its parts too', async () => {
    const texts = Array.from({ length: 600 }, (_, nth) => ({ type: 'text', text: `word ${nth}` }))
    const { holdfast } = await importLines([prompt('p', null, 'talk'), assistant('a', 'p', texts)])
    const { messages, counters } = await madeOf(holdfast)
    expect(messages.map(({ parts }) => parts.length)).toEqual([1, 512, 88])
    expect(messages.slice(1).flatMap(({ parts }) => parts)).toEqual(texts)
    expect(counters).toMatchObject({ roundCount: 1, turnCount: 1, exchangeCount: 1, promptTokens: 10 })
  })

  test('may be larger than a commit', async () => {
    const { holdfast } = await importLines(ofMany(2_000))
    const { messages, counters } = await madeOf(holdfast)
    expect(messages).toHaveLength(1 + Math.ceil(2_000 / 128) + 2_000 + 1)
    expect(counters).toMatchObject({ roundCount: 2, turnCount: 1, promptTokens: 20 })
  })

  test.each([
    ['on lines of their own', onLinesOfTheirOwn, 'a1999'],
    ['in one line', inOneLine, 'a'],
    ['in one line that nobody answers', inOneLine, undefined],
  ])(
    'is read again when an import ended between two commits of it: calls %s',
    async (_where, calls, last) => {
      const results = last === undefined ? [] : answered(2_000, last)
      const lines = [prompt('p', null, 'read them all'), ...calls(2_000), ...results]
      const whole = await madeOf((await importLines(lines)).holdfast)
      const holdfast = await openMemory()
      const path = join(temporaryFolder(), 'made.jsonl')
      writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
      const stop = new AbortController()
      const onProgress = () => stop.abort()
      const { signal } = stop
      await importPaths(holdfast, [path], { signal, onProgress })
      expect((await madeOf(holdfast)).messages.length).toBeLessThan(whole.messages.length)
      await importOne(holdfast, path)
      const { content, counters } = await madeOf(holdfast)
      expect(content).toEqual(whole.content)
      expect(counters).toMatchObject({ roundCount: 1, promptTokens: 10, completionTokens: 2 })
    },
  )

  test('has results in any order, what is told of each beside it, and calls that nobody answered', async () => {
    const told = callIds(200)
      .reverse()
      .filter((id) => id !== 'c7' && id !== 'c150')
      .map((id) => result(`r-${id}`, 'a', id, { output: `of ${id}`, toolUseResult: { more: id } }))
    const { holdfast, report } = await importLines([
      prompt('p', null, 'read them all'),
      ...inOneLine(200),
      ...told,
      answer('end', 'r-c0', 'done'),
    ])
    const { session, messages } = await madeOf(holdfast)
    const results = messages.flatMap(({ parts }) => parts.filter((part) => part.type === 'tool_result'))
    expect(new Set(results.map(({ callId }) => callId))).toEqual(new Set(callIds(200)))
    expect(results.flatMap(({ callId, outcome }) => (outcome === 'unknown' ? [callId] : []))).toEqual([
      'c7',
      'c150',
    ])
    expect(report.keptOpaque.get('tool_use_result')).toBe(198)
    let before: string | undefined
    for (const { type, data } of await allEvents(session)) {
      const { callId } = data as { callId?: string }
      if (type === 'note.added' && callId !== undefined) expect(callId).toBe(before)
      if (type === 'tool.finished') before = callId
    }
  })

  test.each([1, 2, 100, 128, 129, 200, 201, 202, 300, 329, 330, 400])(
    'is the same when the file was read before, up to line %i',
    async (cut) => {
      const lines = ofMany(200)
      const holdfast = await openMemory()
      const path = join(temporaryFolder(), 'made.jsonl')
      for (const read of [lines.slice(0, cut), lines]) {
        writeFileSync(path, read.map((line) => `${line}\n`).join(''))
        await importOne(holdfast, path, { format: 'claude-code' })
      }
      const { content, counters } = await madeOf(holdfast)
      const whole = await madeOf((await importLines(lines)).holdfast)
      expect(content).toEqual(whole.content)
      const { roundCount, promptTokens, completionTokens, messageCount, exchangeCount } = whole.counters
      expect(counters).toMatchObject({
        roundCount,
        promptTokens,
        completionTokens,
        messageCount,
        exchangeCount,
      })
      expect((await importOne(holdfast, path)).events).toBe(0)
    },
  )

  test('is written back with all that was said', async () => {
    const { holdfast } = await importLines(ofMany(200))
    const { content, counters } = await madeOf(holdfast)
    const pieces: string[] = []
    await exportSession(holdfast, idOf('made'), 'claude-code', {
      write: async (piece) => void pieces.push(piece),
    })
    const again = await madeOf((await importLines(pieces.join('').trimEnd().split('\n'))).holdfast)
    expect(again.content).toEqual(content)
    expect(again.counters.promptTokens).toBe(counters.promptTokens)
  })
})

const shared = join(import.meta.dirname, '../../../../../shared/data/claude-code/general-tool-calls.jsonl')

describe.skipIf(!existsSync(shared))(
  'a long session with copied lines (needs general-tool-calls.jsonl beside the checkout)',
  () => {
    test('the two lines that are not JSON are named; tokens count once; parallel calls stay together', async () => {
      const holdfast = await openMemory()
      const { report } = await importFile(holdfast, shared)
      expect(report.broken.map(({ line }) => line)).toEqual([1, 2])
      const session = await holdfast.sessions.open(idOf('general-tool-calls'))
      const messages = await allMessages(session)
      expect(pairingFaults(messages)).toEqual([])
      const { promptTokens, completionTokens } = countClaudeCode(shared)
      const { counters } = await session.view()
      // Two of its 56 messages are the program's own words, not answers of a model.
      expect(counters).toMatchObject({ promptTokens, completionTokens, roundCount: 54 })
      expect((await importFile(holdfast, shared)).events).toBe(0)
    })
  },
)

function copyOf(source: string): string {
  const copy = temporaryFolder()
  cpSync(folder, copy, { recursive: true })
  return join(copy, `${source}.jsonl`)
}

async function importLines(lines: readonly string[]) {
  const holdfast = await openMemory()
  const path = join(temporaryFolder(), 'made.jsonl')
  writeFileSync(path, `${lines.join('\n')}\n`)
  const { report } = await importFile(holdfast, path)
  return { holdfast, report }
}

type Extra = { isSidechain?: boolean; model?: string; id?: string }

function prompt(
  uuid: string,
  parentUuid: string | null,
  text: string,
  { isSidechain = false }: Extra = {},
): string {
  const line = { type: 'user', uuid, parentUuid, isSidechain, message: { role: 'user', content: '%' } }
  return JSON.stringify(line).replace('%', text)
}

function answer(uuid: string, parentUuid: string, text: string, extra: Extra = {}): string {
  return assistant(uuid, parentUuid, [{ type: 'text', text }], extra)
}

function call(uuid: string, parentUuid: string, id: string, input: Record<string, string> = {}): string {
  return assistant(uuid, parentUuid, [{ type: 'tool_use', id, name: 'Task', input }])
}

function assistant(
  uuid: string,
  parentUuid: string,
  content: unknown[],
  { isSidechain = false, model = 'claude-opus-4-5', id = `msg_${uuid}` }: Extra = {},
): string {
  const usage = { input_tokens: 10, output_tokens: 2 }
  const message = { id, role: 'assistant', model, content, usage }
  return JSON.stringify({ type: 'assistant', uuid, parentUuid, isSidechain, message })
}

function result(
  uuid: string,
  parentUuid: string,
  callId: string,
  { output = 'ok', ...beside }: { output?: string; toolUseResult?: object } = {},
): string {
  const content = [{ type: 'tool_result', tool_use_id: callId, content: output }]
  return JSON.stringify({
    type: 'user',
    uuid,
    parentUuid,
    isSidechain: false,
    message: { role: 'user', content },
    ...beside,
  })
}
