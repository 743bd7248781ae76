import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { type ImportProgress, importFile, importPaths, priceBy } from '@holdfast/transcripts'
import { describe, expect, test } from 'vitest'
import {
  allEvents,
  allMessages,
  openMemory,
  seqs,
  temporaryFolder,
  transcripts,
} from '../src/testing/imported.ts'
import { samples } from './cases.ts'

const claude = samples.find(({ format }) => format === 'claude-code')?.text ?? ''

test('progress only rises, and ends at the totals', async () => {
  const told: ImportProgress[] = []
  const summary = await importPaths(await openMemory(), [transcripts], {
    onProgress: (each) => told.push(each),
  })
  for (const [at, now] of told.entries()) {
    const before = told[at - 1] ?? now
    expect(now.bytes).toBeGreaterThanOrEqual(before.bytes)
    expect(now.messages).toBeGreaterThanOrEqual(before.messages)
  }
  expect(told.at(-1)).toEqual({
    files: summary.filesTotal,
    filesTotal: 3,
    bytes: summary.bytesTotal,
    bytesTotal: summary.bytesTotal,
    sessions: 15,
    messages: summary.messages,
  })
})

test('an abort stops between two commits; the next import goes on, and ends as one that was never stopped', async () => {
  const whole = await openMemory()
  await importPaths(whole, [transcripts])
  const holdfast = await openMemory()
  for (let commits = 1, stopped = true; stopped; commits++) {
    const controller = new AbortController()
    let left = commits
    const onProgress = () => {
      left -= 1
      if (left === 0) controller.abort()
    }
    const summary = await importPaths(holdfast, [transcripts], { onProgress, signal: controller.signal })
    stopped = summary.stopped && summary.files < summary.filesTotal
    expect(summary.failed).toEqual([])
  }
  const { sessions } = await whole.sessions.list({}, { limit: 100 })
  for (const { id } of sessions) {
    const [ours, theirs] = [await holdfast.sessions.open(id), await whole.sessions.open(id)]
    expect((await ours.view()).counters).toEqual((await theirs.view()).counters)
    const said = async (session: typeof ours) =>
      (await allMessages(session)).map(({ role, parts }) => ({ role, parts }))
    expect(await said(ours)).toEqual(await said(theirs))
  }
})

test('in a folder what is no transcript is passed over, told by name; damage and what was named are failures', async () => {
  const folder = temporaryFolder()
  const write = (name: string, text: string | Buffer) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  write('claude.jsonl', claude)
  const others = [
    write('blank.jsonl', '\n  \n'),
    write('empty.jsonl', ''),
    write('history.jsonl', '{"display":"/help","timestamp":1}\n'),
    write('null.json', 'null'),
    write('sessions-index.json', JSON.stringify({ version: 1, entries: [{ sessionId: 'a' }] }, null, 2)),
  ]
  const damaged = [
    write('utf16.jsonl', Buffer.from(`\uFEFF${claude}`, 'utf16le')),
    write('words.jsonl', 'no\n'),
  ]
  const summary = await importPaths(await openMemory(), [folder])
  expect(summary.passedOver.map(({ path }) => path)).toEqual(others)
  expect(summary.failed.map(({ path }) => path)).toEqual(damaged)
  expect(summary).toMatchObject({ files: 8, filesTotal: 8, newSessions: 1 })
  const named = await importPaths(await openMemory(), others)
  expect(named.passedOver).toEqual([])
  expect(named.failed.map(({ path, code }) => [path, code]).sort()).toEqual(
    others.map((path) => [path, 'invalid_input']),
  )
  const alone = await importPaths(await openMemory(), [others[1] as string, folder])
  expect(alone.failed.map(({ path }) => path)).toEqual([others[1], ...damaged])
})

test('what was passed over counts as done', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'package.json'), '{"name":"x"}')
  const summary = await importPaths(await openMemory(), [folder])
  expect(summary).toMatchObject({
    files: 1,
    bytes: 12,
    bytesTotal: 12,
    passedOver: [{ code: 'invalid_input' }],
  })
})

test('a real file remembers what was read when it is opened again', async () => {
  const path = join(temporaryFolder(), 'holdfast.db')
  const first = await openHoldfast({ store: sqlite(path) })
  await importPaths(first, [transcripts])
  const before = await seqs(first)
  await first.close()
  const second = await openHoldfast({ store: sqlite(path) })
  const summary = await importPaths(second, [transcripts])
  expect(summary).toMatchObject({ filesUnchanged: 3, events: 0, bytes: summary.bytesTotal })
  expect(await seqs(second)).toEqual(before)
  await second.close()
})

test('calls are priced by what the caller says; without it their price is unknown, not zero', async () => {
  const path = join(temporaryFolder(), 'file.jsonl')
  writeFileSync(path, claude)
  const [unpriced, priced] = [await openMemory(), await openMemory()]
  await importFile(unpriced, path)
  const prices = { 'anthropic/*': { prompt: 1, completion: 1 } }
  const book = {
    prices: { 'anthropic/any': prices['anthropic/*'] },
    aliases: [['anthropic/*', 'anthropic/any']] as [string, string][],
  }
  await importFile(priced, path, { prices: async () => priceBy(book, 'list') })
  const { costUnknown, rows } = await unpriced.usage.totals()
  expect(costUnknown).toBe(rows)
  expect((await priced.usage.totals()).costUnknown).toBe(0)
})

test('what a cache keeps for an hour, as most of what Claude Code writes to it, is priced as such', async () => {
  const path = join(temporaryFolder(), 'file.jsonl')
  const cached = '"cache_creation":{"ephemeral_1h_input_tokens":'
  const isHour = (line: string) => line.includes(cached)
  const lines = claude.replaceAll(
    /"cache_creation":\{"ephemeral_5m_input_tokens":(\d+),"ephemeral_1h_input_tokens":0\}/g,
    `${cached}$1,"ephemeral_5m_input_tokens":0}`,
  )
  expect(lines.split('\n').some(isHour)).toBe(true)
  writeFileSync(path, lines)
  const holdfast = await openMemory()
  const anthropic = {
    prompt: 1e8,
    completion: 5e8,
    cachedRead: 1e7,
    cachedWrite: 1.25e8,
    cachedWriteHour: 2e8,
  }
  const book = {
    prices: { 'anthropic/any': anthropic },
    aliases: [['anthropic/*', 'anthropic/any']] as [string, string][],
  }
  await importFile(holdfast, path, { prices: async () => priceBy(book, 'list') })
  const totals = await holdfast.usage.totals()
  const { promptTokens, completionTokens, cachedReadTokens, cachedWriteTokens } = totals
  const fresh = promptTokens - cachedReadTokens - cachedWriteTokens
  expect(cachedWriteTokens).toBeGreaterThan(0)
  expect(totals).toMatchObject({
    costUnknown: 0,
    costMicrocents: 100 * fresh + 10 * cachedReadTokens + 200 * cachedWriteTokens + 500 * completionTokens,
  })
  const { groups } = await holdfast.usage.rerate(book, {})
  expect(groups).toMatchObject([{ differenceMicrocents: 0, becameUnknown: 0 }])
})

describe('secrets', () => {
  const secrets = {
    'anthropic key': `sk-ant-${'api03-'.repeat(5)}`,
    'openai key': `sk-proj-${'a1B2'.repeat(8)}`,
    'github token': `ghp_${'a1B2'.repeat(9)}`,
    'gitlab token': `glpat-${'a1B2'.repeat(5)}`,
    'npm token': `npm_${'a1B2'.repeat(9)}`,
    'aws access key': `AKIA${'ABCD'.repeat(4)}`,
    'google key': `AIza${'a1B2c'.repeat(7)}`,
    'slack token': 'xoxb-1234567890-abcdef',
    'stripe key': `sk_live_${'a1B2'.repeat(5)}`,
    'json web token': `eyJ${'a1B2'.repeat(4)}.eyJ${'a1B2'.repeat(4)}.${'a1B2'.repeat(4)}`,
    'private key': '-----BEGIN RSA PRIVATE KEY-----\nMIIabc+/=\n-----END RSA PRIVATE KEY-----',
    'password in an address': 'hunter2hunter2',
    password: 'correct-horse-9',
  }
  const said: Partial<Record<string, string>> = {
    'password in an address': 'postgres://me:hunter2hunter2@db.example/x',
    password: 'DB_PASSWORD="correct-horse-9"',
  }

  test.each(Object.entries(secrets))('%s: counted; left out when that is asked for', async (kind, secret) => {
    const words = `before ${said[kind] ?? secret} after`
    const path = join(temporaryFolder(), 'file.json')
    writeFileSync(
      path,
      JSON.stringify([
        { role: 'user', content: words },
        { role: 'assistant', content: 'ok' },
      ]),
    )
    const [plain, redacted] = [await openMemory(), await openMemory()]
    expect((await importFile(plain, path)).secrets).toEqual(new Map([[kind, 1]]))
    expect((await importFile(redacted, path, { redactSecrets: true })).secrets).toEqual(new Map([[kind, 1]]))
    const textOf = async (holdfast: typeof plain) => {
      const [id = ''] = Object.keys(await seqs(holdfast))
      return JSON.stringify(await allEvents(await holdfast.sessions.open(id)))
    }
    expect(await textOf(plain)).toContain(JSON.stringify(secret).slice(1, -1))
    expect(await textOf(redacted)).not.toContain(JSON.stringify(secret).slice(1, -1))
    expect(await textOf(redacted)).toContain(`[redacted ${kind}]`)
  })

  test('a file of ordinary words has none', async () => {
    const { secrets: found } = await importPaths(await openMemory(), [transcripts])
    expect(found).toEqual(new Map())
  })
})
