/** What a person at a terminal meets: a real pseudo-terminal, the real program, real files. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { widthOf } from './terminal/width.ts'
import { filledStore, said, temporaryFolder } from './testing/place.ts'
import { ctrlC, openTerminal, shell } from './testing/terminal.ts'

const folder = temporaryFolder()
const store = join(folder, 'holdfast.db')
const env = { HOLDFAST_STORE: store, HOME: folder }
const sessions = 60
/** Lines: more than a pipe holds. */
const longAnswer = 20_000

beforeAll(async () => {
  await filledStore(store, async (holdfast) => {
    for (let n = 0; n < sessions; n++) {
      const session = await holdfast.sessions.create({
        agentId: 'agent',
        title: `寿司 session number ${n} ${'and more '.repeat(12)}`,
      })
      await session.append([
        said('user', `question ${n}`),
        said('assistant', 'an answer\n'.repeat(n === 0 ? longAnswer : 20)),
      ])
    }
  })
})

test('a table fits the terminal, whatever its width, and is coloured', async () => {
  for (const columns of [50, 80, 120]) {
    const terminal = openTerminal(['sessions'], { env, columns })
    expect(await terminal.ended).toBe(0)
    expect(terminal.shown).toContain('\u001b[')
    const lines = stripVTControlCharacters(terminal.shown).split('\r\n')
    expect(lines.length).toBeGreaterThan(25)
    for (const line of lines.slice(0, 26)) expect(widthOf(line)).toBeLessThanOrEqual(columns)
  }
})

test('NO_COLOR leaves no colour at a terminal, a pipe has none anyway', async () => {
  const terminal = openTerminal(['sessions'], { env: { ...env, NO_COLOR: '1' } })
  expect(await terminal.ended).toBe(0)
  expect(terminal.shown).not.toContain('\u001b[')
  const piped = await shell('holdfast sessions', env)
  expect(piped.code).toBe(0)
  expect(piped.out).not.toContain('\u001b')
})

test('a long transcript goes through the pager, and leaving the pager early is the end of it', async () => {
  const pager = join(folder, 'pager.mjs')
  writeFileSync(pager, `process.stdin.once('data', () => { console.log('PAGED'); process.exit(0) })`)
  const paging = { ...env, HOLDFAST_PAGER: `${process.execPath} ${pager}` }
  const long = (await shell('holdfast search "question 0" --json', env)).out
  const [{ sessionId }] = JSON.parse(long).data
  const terminal = openTerminal(['show', sessionId, '--full'], { env: paging })
  expect(await terminal.ended).toBe(0)
  expect(terminal.shown).toContain('PAGED')
  expect(terminal.shown).not.toContain('an answer')
  const without = openTerminal(['show', sessionId], { env: { ...env, HOLDFAST_PAGER: 'no-such-pager' } })
  expect(await without.ended).toBe(0)
  expect(without.shown.match(/an answer/g)).toHaveLength(longAnswer)
})

test('a closed pipe ends the command without a word', async () => {
  const [{ sessionId }] = JSON.parse((await shell('holdfast search "question 0" --json', env)).out).data
  const { out, err } = await shell(`(holdfast show ${sessionId}; echo "code $?" >&2) | head -n 1`, env)
  expect(out).toMatch(/^寿司 session number 0 .*\n$/)
  expect(err).toBe('code 0\n')
})

test('before anything goes a person is asked', async () => {
  const no = openTerminal(['delete', 'last'], { env })
  await no.shows(/Delete 1 session/)
  no.type('n')
  expect(await no.ended).toBe(4)
  const yes = openTerminal(['delete', 'last'], { env })
  await yes.shows(/Delete 1 session/)
  yes.type('y')
  expect(await yes.ended).toBe(0)
  const { out } = await shell('holdfast sessions --all --jsonl | wc -l', env)
  expect(Number(out)).toBe(sessions - 1)
})

/** Many real sessions under ids of their own. */
function manyTranscripts(count: number): string {
  const source = '0ccf1a04-1b4c-43b6-8aa5-79e41db43a68'
  const text = readFileSync(
    join(import.meta.dirname, `../../transcripts/samples/claude-code/${source}.jsonl`),
    'utf8',
  )
  const place = join(folder, 'projects')
  mkdirSync(place, { recursive: true })
  for (let n = 0; n < count; n++) {
    const id = `0ccf1a04-1b4c-43b6-8aa5-${String(n).padStart(12, '0')}`
    writeFileSync(join(place, `${id}.jsonl`), text.replaceAll(source, id))
  }
  return place
}

test('an import shows how far it is; Ctrl-C leaves nothing half-written, and the next import goes on', async () => {
  const place = manyTranscripts(60)
  const halved = { ...env, HOLDFAST_STORE: join(folder, 'halved.db') }
  const importing = openTerminal(['import', place], { env: halved })
  await importing.shows(/[█▏▎▍▌▋▊▉]░*.*% .*\d+\/60 files · \d+ sessions · .* messages/)
  importing.type(ctrlC)
  expect(await importing.ended).toBe(130)
  expect(importing.shown).toContain('goes on from there')
  expect(importing.shown).not.toContain('    at ')
  expect((await shell('holdfast doctor', halved)).out).toBe('Nothing wrong.\n')
  const between = await shell('holdfast sessions --all --jsonl | wc -l', halved)
  expect(Number(between.out)).toBeLessThan(60)

  const rest = await shell(`holdfast import ${place}`, halved)
  expect(rest.code).toBe(0)
  expect(rest.err).not.toContain('░')
  const whole = { ...env, HOLDFAST_STORE: join(folder, 'whole.db') }
  expect((await shell(`holdfast import ${place}`, whole)).code).toBe(0)
  const figures = `holdfast sessions --all --jsonl | sed 's/.*"id":"\\([^"]*\\)".*"messageCount":\\([0-9]*\\).*/\\1 \\2/' | sort`
  expect((await shell(figures, halved)).out).toBe((await shell(figures, whole)).out)
  expect((await shell('holdfast doctor', halved)).out).toBe('Nothing wrong.\n')
})

test('a folder that is watched comes in as it grows, until Ctrl-C', async () => {
  const place = join(folder, 'watched')
  mkdirSync(place)
  const turn = (n: number) =>
    `${JSON.stringify({
      messages: [
        { role: 'user', content: `hello ${n}` },
        { role: 'assistant', content: 'hi' },
      ],
    })}\n`
  writeFileSync(join(place, 'one.jsonl'), turn(1))
  const watching = { ...env, HOLDFAST_STORE: join(folder, 'watching.db') }
  const terminal = openTerminal(['import', place, '--watch'], { env: watching })
  await terminal.shows(/1 new session/)
  await terminal.shows(/Watching/)
  writeFileSync(join(place, 'two.jsonl'), turn(2))
  await terminal.shows(/1 new session[\s\S]*1 new session/)
  terminal.type(ctrlC)
  expect(await terminal.ended).toBe(0)
})
