import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { importFile, importPaths, sessionIdOf } from '@holdfast/transcripts'
import { describe, expect, test } from 'vitest'
import { allEvents, allMessages, openMemory, pairingFaults } from '../src/testing/imported.ts'
import { countClaude, countCodex } from './count.ts'
import { hasSharedData, sharedData, why } from './shared-data.ts'

function sourceIdOf(file: string): string {
  const [, session, agent] = /([^/]+)\/subagents\/agent-(\w+)\.jsonl$/.exec(file) ?? []
  return agent === undefined ? basename(file, '.jsonl') : `${session}/${agent}`
}

describe.skipIf(!hasSharedData)(`real transcripts (${why})`, () => {
  const claude = globSync('claude-code/**/*.jsonl', { cwd: sharedData }).sort()
  const codex = globSync('codex/*.jsonl', { cwd: sharedData }).sort()

  test('one session for each file, sub-agents as children; nothing is lost in silence; again nothing is new', async () => {
    const holdfast = await openMemory()
    const first = await importPaths(holdfast, [sharedData])
    expect(first.failed).toEqual([])
    const { sessions } = await holdfast.sessions.list({}, { limit: 1_000 })
    const branches = sessions.filter(({ forkedFrom }) => forkedFrom !== undefined)
    expect(branches).toHaveLength(1)
    expect(sessions).toHaveLength(claude.length + codex.length + 200 + branches.length)
    expect(first).toMatchObject({
      sessions: sessions.length,
      newSessions: sessions.length,
      bytes: first.bytesTotal,
    })
    expect(sessions.filter(({ lineage }) => lineage === 'child')).toHaveLength(6)
    const raw = [
      ...claude.map((file) => countClaude(join(sharedData, file))),
      ...codex.map((file) => countCodex(join(sharedData, file))),
    ]
    const { blank: _blank, ...fates } = Object.fromEntries(first.report.lines)
    const told = Object.values(fates).reduce((sum, times) => sum + times, 0)
    expect(told).toBe(raw.reduce((sum, { lines }) => sum + lines, 0) + 200)
    const again = await importPaths(holdfast, [sharedData])
    expect(again).toMatchObject({ events: 0, filesUnchanged: again.filesTotal, sessions: 0 })
  })

  test.each(claude)('%s counts what it says', async (file) => {
    const holdfast = await openMemory()
    const path = join(sharedData, file)
    const raw = countClaude(path)
    const { report, imported } = await importFile(holdfast, path)
    expect(report.broken.map(({ line }) => line)).toEqual(raw.notJson)
    const own = imported.find(
      ({ sessionId }) => sessionId === sessionIdOf('default', 'claude-code', sourceIdOf(file)),
    )
    const session = await holdfast.sessions.open(own?.sessionId ?? '')
    const { promptTokens, completionTokens, cachedReadTokens } = raw
    expect((await session.view()).counters).toMatchObject({
      promptTokens,
      completionTokens,
      cachedReadTokens,
    })
    const messages = await allMessages(session)
    expect(pairingFaults(messages)).toEqual([])
    const parts = messages.flatMap((message) => message.parts)
    const events = await allEvents(session)
    const opaque = JSON.stringify(events.filter(({ type }) => type === 'note.added'))
    const callIds = new Set(parts.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : [])))
    expect(callIds.size + (opaque.match(/"type":"tool_use"/g)?.length ?? 0)).toBeGreaterThanOrEqual(raw.calls)
  })

  test.each(codex)('%s counts what it says, and its totals are the last that it told', async (file) => {
    const holdfast = await openMemory()
    const path = join(sharedData, file)
    const raw = countCodex(path)
    const { report, imported } = await importFile(holdfast, path)
    const session = await holdfast.sessions.open(imported[0]?.sessionId ?? '')
    const { promptTokens, completionTokens, cachedReadTokens, reasoningTokens } = raw
    const expected = { promptTokens, completionTokens, cachedReadTokens, reasoningTokens }
    expect((await session.view()).counters).toMatchObject(expected)
    expect(await holdfast.usage.totals({ sessionId: session.id })).toMatchObject(expected)
    const messages = await allMessages(session)
    expect(pairingFaults(messages)).toEqual([])
    const parts = messages.flatMap((message) => message.parts)
    expect(parts.filter(({ type }) => type === 'tool_call')).toHaveLength(raw.calls)
    const results = parts.flatMap((part) => (part.type === 'tool_result' ? [part] : []))
    expect(results.filter(({ outcome }) => outcome !== 'unknown')).toHaveLength(
      raw.results - raw.orphanResults,
    )
    expect(results.filter(({ outcome }) => outcome === 'unknown')).toHaveLength(raw.orphanCalls)
    expect(report.repaired.get('calls without a result, closed as unknown') ?? 0).toBe(raw.orphanCalls)
    const spoken = (role: string, author?: string) =>
      messages.filter((message) => message.role === role && message.author === author).length
    expect(spoken('user')).toBe(raw.roles.user ?? 0)
    expect(spoken('system', 'developer')).toBe(raw.roles.developer ?? 0)
  })
})
