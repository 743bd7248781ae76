import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { filledStore, said, temporaryFolder } from '../testing/place.ts'
import { type RunOptions, run as runCli } from '../testing/run.ts'
import { type Served, served } from '../testing/served.ts'

const folder = temporaryFolder()

describe.each(['store', 'server'] as const)('of a %s', (kind) => {
  const store = join(folder, `${kind}.db`)
  let server: Served | undefined
  const run = (line: string, options: RunOptions = {}) =>
    runCli([...line.split(' '), ...(server ? ['--server', server.url] : ['--store', store])], options)

  let ids: { talk: string; fork: string; child: string; runner: string }

  beforeAll(async () => {
    ids = await filledStore(store, async ({ sessions }) => {
      const talk = await sessions.create({
        agentId: 'support',
        ownerUserId: 'u1',
        title: '寿司 order',
        model: 'm1',
      })
      await talk.append([said('user', 'Where is my \u001b[31msushi\u0007?')])
      await talk.append({
        role: 'assistant',
        parts: [
          { type: 'text', text: 'Let me look.' },
          { type: 'tool_call', callId: 'c1', name: 'track', input: { path: '/orders/7' } },
        ],
      })
      await talk.append({
        role: 'tool',
        parts: [{ type: 'tool_result', callId: 'c1', output: 'left\nat\nnoon' }],
      })
      await talk.recordUsage({
        attemptId: 'a1',
        model: 'm1',
        promptTokens: 1_200,
        completionTokens: 34,
        costMicrocents: 2_100_000,
        costSource: 'provider',
      })
      await talk.append(said('assistant', 'It arrives on Thursday.'))
      const { childId } = await talk.spawnChild({ agentId: 'courier', title: 'ask the courier' })
      const fork = await talk.fork({ title: 'another way' })
      await fork.append(said('user', 'Cancel it.'))
      const runner = await sessions.create({ agentId: 'runner', title: 'at work' })
      await runner.append(said('user', 'go'))
      return { talk: talk.id, fork: fork.id, child: childId, runner: runner.id }
    })
    if (kind === 'server') server = await served(['--store', store])
  })

  afterAll(() => server?.stop())

  describe('sessions', () => {
    test('a table in a pipe has whole ids and no colour', async () => {
      const { code, out, err } = await run('sessions')
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toContain(ids.talk)
      expect(out).toMatch(/寿司 order +support +idle .* 1\.23k +\$0\.021$/m)
      expect(out).not.toContain('\u001b')
    })

    test('at a terminal every line fits', async () => {
      for (const columns of [60, 80, 140]) {
        const { out } = await run('sessions', { columns })
        for (const line of out.split('\n')) expect([...line].length).toBeLessThanOrEqual(columns)
        expect(out).not.toContain(ids.talk)
        expect(out).toContain(ids.talk.slice(-8))
      }
    })

    test('filters choose, and a filter that leaves nothing says so', async () => {
      const { data } = JSON.parse((await run('sessions --json --agent support --lineage root')).out)
      expect(data.map(({ id }: { id: string }) => id).sort()).toEqual([ids.talk, ids.fork].sort())
      expect((await run('sessions --user nobody')).err).toBe('No session passes these filters.\n')
    })

    test('a tree has children below their parents', async () => {
      const { out } = await run(`sessions --tree --root ${ids.talk}`)
      const lines = out.split('\n')
      const at = lines.findIndex((line) => line.includes('寿司'))
      expect(lines[at + 1]).toContain('└ ask the courier')
    })

    test('a page names the next one', async () => {
      const first = JSON.parse((await run('sessions --json -n 1')).out)
      const second = JSON.parse((await run(`sessions --json -n 1 --after ${first.next}`)).out)
      expect(second.data[0].id).not.toBe(first.data[0].id)
      const lines = (await run('sessions --jsonl --all')).out.trimEnd().split('\n')
      expect(lines.map((line) => JSON.parse(line).id)).toHaveLength(4)
    })
  })

  describe('show', () => {
    test('a transcript folds tool calls, tells the cost, and cannot steer the terminal', async () => {
      const { out } = await run(`show ${ids.talk}`)
      expect(out).toContain('Where is my ␛[31msushi␇?')
      expect(out).toContain('▸ track /orders/7 → 3 lines')
      expect(out).toContain('1.20k in · 34 out · $0.021 · m1')
      expect(out).toContain(`↳ child of courier holdfast show ${ids.child}\n`)
      expect(out).not.toContain('\u001b')
    })

    test('in full the results are there', async () => {
      expect((await run(`show ${ids.talk} --full`)).out).toContain('│ noon')
    })

    test('a jump marks the message and begins shortly before it', async () => {
      const { data } = JSON.parse((await run(`show ${ids.talk} --json`)).out)
      const last = data.filter(({ type }: { type: string }) => type === 'message').at(-1).message
      const { out } = await run(`show ${ids.talk} --at ${last.seq}`)
      expect(out).toContain(`#${last.seq} ◀`)
      expect((await run(`show ${ids.talk} --tail 1`)).out).not.toContain('Where is my')
    })

    test('a fork shows the prefix that it reads, and where it parts', async () => {
      const { out } = await run(`show ${ids.fork}`)
      expect(out).toContain('It arrives on Thursday.')
      expect(out).toContain(`forked from ${ids.talk}`)
      expect(out).toContain('Cancel it.')
    })
  })

  describe('search', () => {
    test('a hit shows its place and how to jump there', async () => {
      const { code, out } = await run('search thursday')
      expect(code).toBe(0)
      expect(out).toMatch(
        /寿司 order · .* · assistant\n {2}It arrives on Thursday\.\n {2}holdfast show \S+ --at \d+/,
      )
      expect(out).toContain(`holdfast show ${ids.talk} --at `)
    })

    test('nothing is found quietly', async () => {
      expect(await run('search xyzzy')).toEqual({ code: 0, out: '', err: 'Nothing has this word.\n' })
    })
  })

  describe('usage', () => {
    test.each(['day', 'model', 'agent', 'user', 'tree', 'session', 'purpose'])('by %s', async (by) => {
      const { code, out } = await run(`usage --by ${by}`)
      expect(code).toBe(0)
      expect(out).toMatch(/total +1 +1\.20k .*\$0\.021/)
    })

    test('as CSV and as JSON', async () => {
      expect((await run('usage --by agent --csv')).out).toContain('support,1,1200,34,0,0,0,2100000,0')
      expect(JSON.parse((await run('usage --by agent --json')).out).data).toMatchObject([
        { costMicrocents: 2_100_000 },
      ])
      expect((await run('usage --csv --json')).code).toBe(2)
    })
  })

  test('diff tells what each branch has of its own', async () => {
    const { out } = await run(`diff ${ids.talk} ${ids.fork}`)
    expect(out).toContain('The same log through #')
    expect(out).toMatch(/messages +0 +1/)
    expect(out).toContain('+   Cancel it.')
  })

  test('follow gives what was written and what comes, until Ctrl-C', async () => {
    let interrupt = () => {}
    const written = openHoldfast({ store: sqlite(store) })
    const following = run(`follow ${ids.runner} --after 0`, {
      onReady: (press) => {
        interrupt = press
      },
      onOutput: (text) => {
        if (text.includes('live one')) interrupt()
      },
    })
    await using holdfast = await written
    const session = await holdfast.sessions.open(ids.runner)
    if (session.lifecycle === 'active') await session.append(said('user', 'live one'))
    const { code, out } = await following
    expect(code).toBe(0)
    expect(out).toMatch(/go[\s\S]*live one/)
  })

  describe('what writes', () => {
    test('a fork is made, closed, and deleted; a closed one is not closed again', async () => {
      const made = await run(`fork ${ids.talk} --title branch`)
      const id = made.out.trim()
      expect(made.err).toContain(`holdfast diff ${ids.talk} ${id}`)
      expect((await run(`close ${id} --outcome completed --reason done`)).out).toBe(
        `Closed ${id} (completed).\n`,
      )
      expect(await run(`close ${id}`)).toMatchObject({ code: 4 })
      expect((await run(`delete ${id}`)).err).toContain('give --yes')
      expect((await run(`delete ${id} --yes`)).out).toMatch(/^Deleted 1 session/)
      expect((await run(`show ${id}`)).code).toBe(3)
    })

    test('what others are based on goes only with them', async () => {
      const { code, err } = await run(`delete ${ids.talk} --yes`)
      expect(code).toBe(4)
      expect(err).toContain('--cascade')
    })

    test('prune says first what would go', async () => {
      const { out } = await run('prune --keep 0 --agent runner --dry-run', { nowMs: Date.now() })
      expect(out).toContain(`Would delete 1 session.\n  ${ids.runner}`)
      expect((await run('prune')).code).toBe(2)
      expect((await run('prune --keep 0 --agent runner')).err).toContain('give --yes')
    })

    test('erasing takes the content and gives a receipt', async () => {
      const { data } = JSON.parse((await run(`show ${ids.runner} --json`)).out)
      const { seq } = data.find(({ type }: { type: string }) => type === 'message').message
      const { code, out } = await run(`erase ${ids.runner} --seqs ${seq} --reason test --yes`)
      expect(code).toBe(0)
      expect(out).toMatch(/^Erased 1 event in 1 session\.\nFinal since/)
      expect((await run(`show ${ids.runner}`)).out).toContain('erased on request')
      expect((await run('erase --yes')).code).toBe(2)
      expect((await run(`erase ${ids.runner} --seqs 9-1`)).code).toBe(2)
    })
  })

  test('an export to a file has its name once it is whole, and is not written over', async () => {
    const path = join(folder, `out-${kind}.json`)
    const line = `export ${ids.talk} --format openai-chat -o ${path}`
    expect((await run(line)).code).toBe(0)
    expect(readFileSync(path, 'utf8')).toContain('It arrives on Thursday.')
    expect(existsSync(`${path}.partial`)).toBe(false)
    expect((await run(line)).code).toBe(2)
    expect((await run(`export ${ids.talk} ${ids.fork}`)).err).toContain('--folder')
    const nowhere = join(folder, 'nowhere')
    expect(await run(`export ${ids.talk} -o ${join(nowhere, 'x.jsonl')}`)).toMatchObject({
      code: 3,
      err: `holdfast: The folder ${nowhere} is not there.\n`,
    })
    const onFolder = await run(`export ${ids.talk} --force -o ${folder}`)
    expect(onFolder).toMatchObject({ code: 2, err: expect.stringContaining('is a folder') })
  })

  test('a person is forgotten everywhere', async () => {
    const { code, out } = await run('erase --user u1 --reason asked --yes')
    expect(code).toBe(0)
    expect(out).toMatch(/^Erased \d+ events in \d+ sessions\.\nDeleted \d+ sessions whole/)
  })

  test('pruning deletes what it said, for good', async () => {
    const { code, out } = await run('prune --keep 0 --agent runner --yes --scrub')
    expect(code).toBe(0)
    expect(out).toMatch(/^Deleted 1 session, \d+ events\.\nFinal since /)
    expect((await run(`show ${ids.runner}`)).code).toBe(3)
  })
})

describe('the store itself', () => {
  const store = join(folder, 'own.db')
  const run = (line: string) => runCli([...line.split(' '), '--store', store])
  let id: string

  beforeAll(async () => {
    id = await filledStore(store, async ({ sessions }) => (await sessions.create({ agentId: 'support' })).id)
  })

  test('a backup is a store of its own, and nothing is written over', async () => {
    const copy = join(folder, 'copy.db')
    expect((await run(`backup ${copy}`)).out).toContain(copy)
    expect(statSync(copy).mode & 0o077).toBe(0)
    expect((await runCli(['sessions', '--store', copy, '--json'])).out).toContain(id)
    expect((await run(`backup ${copy}`)).code).toBe(2)
    expect(existsSync(`${copy}.partial`)).toBe(false)
  })

  test('a migration of a store that is up to date says its version', async () => {
    expect((await run('migrate')).out).toMatch(/has schema version \d+ \(sqlite/)
  })

  test('the doctor finds nothing wrong, and repair has nothing to do', async () => {
    expect(await run('doctor')).toMatchObject({ code: 0, out: 'Nothing wrong.\n' })
    expect(await run('repair')).toMatchObject({ code: 0, out: 'Nothing to put right.\n' })
  })
})

describe.each(['store', 'server'] as const)('an import into a %s', (kind) => {
  const samples = join(import.meta.dirname, '../../../transcripts/samples/claude-code')
  const servers: Served[] = []
  afterAll(() => Promise.all(servers.map((server) => server.stop())))

  async function target(name: string): Promise<{ place: string[]; told: string }> {
    const store = join(folder, `${name}-${kind}.db`)
    if (kind === 'store') return { place: ['--store', store], told: `Store: ${store}\n` }
    const server = await served(['--store', store])
    servers.push(server)
    return { place: ['--server', server.url], told: `Server: ${server.url}\n` }
  }

  test('tells what is new, and again that nothing is', async () => {
    const { place, told } = await target('imported')
    const first = await runCli(['import', samples, ...place])
    expect(first).toMatchObject({ code: 0, err: told })
    expect(first.out).toMatch(/^✓ 9 new sessions, /)
    const again = await runCli(['import', samples, ...place])
    expect(again).toMatchObject({ code: 0, err: told })
    expect(again.out).toMatch(/^Nothing new in \d+ files/)
    expect((await runCli(['import', join(folder, 'nonesuch'), ...place])).code).toBe(3)
    expect((await runCli(['usage', '--by', 'model', ...place])).out).toMatch(/claude-opus-4-5-\d+ .* \$\d/)
  })

  test('tells in a line of what else lies in a folder, which is no failure', async () => {
    const { place } = await target('beside')
    const home = join(folder, `projects-${kind}`)
    for (const project of ['a', 'b']) {
      mkdirSync(join(home, project), { recursive: true })
      writeFileSync(join(home, project, 'sessions-index.json'), '{"version":1,"entries":[]}')
    }
    copyFileSync(join(samples, '4b2030ed-5563-49ea-b703-6a002f2d3cc8.jsonl'), join(home, 'a', 'one.jsonl'))
    const { code, out } = await runCli(['import', home, ...place])
    expect(code).toBe(0)
    expect(out).toMatch(/^✓ 1 new session, .* from 1 file in /)
    expect(out).toMatch(/^Passed over 2 files that are no transcripts \(.*\): 2 sessions-index\.json$/m)
    const { data } = JSON.parse((await runCli(['import', home, '--json', ...place])).out)
    expect(data.passedOver.map(({ path }: { path: string }) => path)).toEqual(
      ['a', 'b'].map((project) => join(home, project, 'sessions-index.json')),
    )
    const named = await runCli(['import', join(home, 'a', 'sessions-index.json'), ...place])
    expect(named.code).toBe(1)
    expect(named.out).toContain('looked for')
  })

  test('leaves calls unpriced where that is asked for', async () => {
    const { place } = await target('unpriced')
    expect((await runCli(['import', samples, '--no-prices', ...place])).code).toBe(0)
    expect((await runCli(['usage', '--by', 'model', ...place])).out).toMatch(/total .* unknown/)
  })

  test('goes on where an earlier one stopped in a file that has grown, and gives the same log', async () => {
    const whole = readFileSync(join(samples, '4b2030ed-5563-49ea-b703-6a002f2d3cc8.jsonl'), 'utf8')
    const lines = whole.split('\n')
    const file = join(folder, `grown-${kind}.jsonl`)
    const shown: string[] = []
    const ofStore = ['--store', join(folder, `grown-beside-${kind}.db`)]
    for (const place of [(await target('grown')).place, ofStore]) {
      writeFileSync(file, `${lines.slice(0, lines.length / 2).join('\n')}\n`)
      expect((await runCli(['import', file, ...place])).out).toMatch(/^✓ 1 new session, /)
      writeFileSync(file, whole)
      expect((await runCli(['import', file, ...place])).out).toMatch(/^✓ .*1 session went on, /)
      expect((await runCli(['import', file, ...place])).out).toMatch(/^Nothing new in 1 file/)
      shown.push((await runCli(['show', 'last', '--full', ...place])).out)
    }
    expect(shown[0]).toContain('Green Curry')
    expect(shown[0]).toBe(shown[1])
  })
})

test('a transcript file that cannot be resumed is told of and mended in a copy', async () => {
  const source = join(import.meta.dirname, '../../../transcripts/samples/claude-code')
  const whole = readFileSync(join(source, '0ccf1a04-1b4c-43b6-8aa5-79e41db43a68.jsonl'), 'utf8')
  const [file, out] = [join(folder, 'broken.jsonl'), join(folder, 'mended.jsonl')]
  writeFileSync(file, `${whole}{"type":"user","mess\n`)
  const examined = await runCli(['doctor', '--file', file])
  expect(examined.code).toBe(6)
  expect(examined.out).toContain('broken_line')
  expect(examined.err).toBe(`holdfast repair --file ${file} --out <file> writes a mended copy.\n`)
  const mended = await runCli(['repair', '--file', file, '--out', out])
  expect(mended.code).toBe(0)
  expect(mended.out).toContain(`${out}.aside holds the lines that could not stay`)
  expect((await runCli(['doctor', '--file', out])).out).toContain('It can be resumed.')
  expect((await runCli(['repair', '--file', file, '--out', out])).code).toBe(2)
  expect((await runCli(['repair', '--file', file])).code).toBe(2)
  expect(await runCli(['doctor', '--file', join(folder, 'nonesuch')])).toMatchObject({ code: 3, out: '' })
})
