/** A chat from a pipe: a line a turn. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { startProviderStub } from '@holdfast/agent/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { exitCodes } from '../exit-codes.ts'
import { filledStore, said, temporaryFolder } from '../testing/place.ts'
import { projectWith } from '../testing/project.ts'
import { type RunOptions, run } from '../testing/run.ts'
import { served } from '../testing/served.ts'

const folder = temporaryFolder()

const config = projectWith(`
import { askQuestion, defineAgent, spawnChild } from '@holdfast/agent'
import { scriptedModel } from '@holdfast/agent/testing'
import { defineConfig } from '@holdfast/cli'

const model = (script: Parameters<typeof scriptedModel>[0]['script'], pauseMs = 0) => {
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, pauseMs))
  return scriptedModel({ script, pause })
}
const asking = (input: object) => ({ parts: [{ type: 'tool_call' as const, name: 'ask_question', input }] })

export default defineConfig({
  agents: () => [
    defineAgent({ id: 'evil', model: model(() => 'red \\u001b[31m and \\u202e back\\nnext') }),
    defineAgent({ id: 'slow', model: model(() => 'one more word, '.repeat(1_000), 5) }),
    defineAgent({ id: 'broken', model: model(() => ({ fault: { type: 'overloaded' } })), maxAttempts: 1 }),
    defineAgent({
      id: 'parent',
      tools: [spawnChild({ agents: { strict: 'chooses', between: 'has somebody choose' } })],
      model: model(({ results, lastUserText: agent }) =>
        results[0]?.output ?? {
          parts: [{ type: 'tool_call' as const, name: 'spawn_child', input: { agent, task: 'strict' } }],
        },
      ),
    }),
    defineAgent({
      id: 'between',
      tools: [spawnChild({ agents: { strict: 'chooses' } })],
      model: model(({ results }) =>
        results[0]?.output ?? {
          parts: [{ type: 'tool_call' as const, name: 'spawn_child', input: { agent: 'strict', task: 'go' } }],
        },
      ),
    }),
    defineAgent({
      id: 'strict',
      tools: [askQuestion],
      model: model(({ results }) =>
        results[0]?.output ?? asking({ question: 'Which?', options: ['red', 'blue'], allowCustom: false }),
      ),
    }),
  ],
})
`)

const lazy = projectWith(
  `export default { tenant: 'default', agents: async () => (await import('@holdfast/agent')).none }`,
)

let stores = 0

function place(): Record<string, string> {
  return { HOLDFAST_STORE: join(folder, `${stores++}.db`), HOLDFAST_MODEL: 'offline-scripted' }
}

const chat = (args: readonly string[], options: RunOptions) => run(['chat', ...args], options)
const withAgent = (agent: string, options: RunOptions) =>
  chat(['--agent', agent, '--config', config], { env: place(), ...options })

test('each line is a turn; the answers go to the output, and all else beside it', async () => {
  const { code, out, err } = await chat([], { env: place(), input: ['hello', '', 'What time is it?'] })
  expect(code).toBe(0)
  const lines = out.trim().split('\n')
  expect(lines).toHaveLength(3)
  for (const line of lines) expect(line).toMatch(/^\[offline-scripted\] /)
  expect(lines[2]).toContain('Saturday, 21 November 2026 at 12:00:00 UTC')
  expect(err).toContain('offline-scripted (HOLDFAST_MODEL)')
  expect(err).toMatch(/▸ clock +→ Saturday, 21 November 2026/)
  expect(err).toMatch(/· 2 calls · \d+ in · \d+ out · cost unknown · offline-scripted/)
  expect(err).toMatch(/To go on: holdfast chat [\w-]{36}\n$/)
})

test('a session is gone on with, by whatever names it, and what was said is shown', async () => {
  const env = place()
  await chat([], { env, input: ['What time is it? Ask me first.'] })
  const { code, out, err } = await chat(['last'], { env, input: ['yes'] })
  expect(code).toBe(0)
  expect(out).toMatch(/^\[offline-scripted\] The tool says: Saturday/)
  expect(err).toContain('I look at the clock.')
  expect(err).not.toContain('provider_response')
  expect(err).not.toContain('provider_response')
  expect(err).toContain('May clock run with {"askFirst":true}?')
  expect(err).toMatch(/▸ clock askFirst: true → Saturday/)
})

test('what a turn costs is told by the prices that came with the package', async () => {
  await using stub = await startProviderStub({ script: () => 'It is scripted.' })
  const provider = { ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: `${stub.baseUrl}` }
  const env = { ...place(), ...provider, HOLDFAST_MODEL: 'anthropic/claude-sonnet-4-5' }
  const { code, out, err } = await chat([], { env, input: ['hello'] })
  expect({ code, out }).toEqual({ code: 0, out: 'It is scripted.\n' })
  expect(err).toMatch(/· 1 call · \d+ in · \d+ out · cost \$0\.\d+ · /)
})

test('with --json every item of the log is a line, drafts too', async () => {
  const { code, out, err } = await chat(['--json'], { env: place(), input: ['hello'] })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const items = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const [first, ...others] = items
  expect(first).toMatchObject({ type: 'session', session: { agentId: 'default' } })
  const types = others.map(({ type, event }) => event?.type ?? type)
  expect(types).toContain('draft')
  expect(types.indexOf('message.appended')).toBeLessThan(types.indexOf('draft'))
  expect(types.at(-1)).toBe('run.completed')
  expect(others.every(({ cursor }) => typeof cursor === 'string')).toBe(true)
})

test('a question that nobody answers ends it as refused, a turn that failed as failed', async () => {
  const asked = await chat([], { env: place(), input: ['ask me: tea?'] })
  expect(asked.code).toBe(exitCodes.refused.code)
  expect(asked.err).toContain('tea?')
  const failed = await withAgent('broken', { input: ['hello'] })
  expect(failed.code).toBe(exitCodes.failed.code)
  expect(failed.err).toMatch(/— failed: .*scripted/)
})

test('an answer that does not fit is told as that, and the next line is tried', async () => {
  const { code, out, err } = await withAgent('strict', { input: ['go', 'green', '2'] })
  expect({ code, out }).toEqual({ code: 0, out: 'blue\n' })
  expect(err).toContain('it stays open')
  expect(err.match(/2 {2}blue\n {2}its number/g)).toHaveLength(2)
  const told = await chat(['--agent', 'strict', '--config', config, '--json'], {
    env: place(),
    input: ['go', 'green', '2'],
  })
  expect(told.code).toBe(0)
  expect(JSON.parse(told.err)).toMatchObject({ error: { code: 'invalid_answer' } })
})

describe('what a child asks is shown and answered in the chat of its parent', () => {
  test.each(['strict', 'between'])('in this process: %s', async (child) => {
    const { code, out, err } = await withAgent('parent', { input: [child, 'green', '2', child, '1'] })
    expect({ code, out }).toEqual({ code: 0, out: 'blue\nred\n' })
    expect(err.match(/↳ strict asks\nWhich\?\n {2}1 {2}red\n {2}2 {2}blue/g)).toHaveLength(3)
    expect(err).toContain('it stays open')
  })

  test('with a server', async () => {
    const server = await served(['--config', config], place())
    onTestFinished(() => void server.stop())
    const args = ['--server', server.url, '--agent', 'parent']
    const { code, out, err } = await chat(args, { input: ['strict', 'green', '2'] })
    expect({ code, out }).toEqual({ code: 0, out: 'blue\n' })
    expect(err.match(/↳ strict asks\nWhich\?/g)).toHaveLength(2)
  })

  test('when it was left open, in the next chat too; a program gets its session as a line', async () => {
    const env = place()
    const left = await withAgent('parent', { env, input: ['strict'] })
    expect(left.code).toBe(exitCodes.refused.code)
    expect(left.err).toContain('Which?')
    const [, id = ''] = /To go on: holdfast chat (\S+)/.exec(left.err) ?? []
    const { code, out } = await chat([id, '--config', config, '--json'], { env, input: ['1'] })
    expect(code).toBe(0)
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const told = lines.filter(({ type }) => type === 'session').map(({ session }) => session)
    expect(told).toMatchObject([{ id }, { parentSessionId: id, openQuestion: { question: 'Which?' } }])
    expect(lines.at(-1)?.event.type).toBe('run.completed')
  })
})

test('what a model says steers no terminal', async () => {
  const { out } = await withAgent('evil', { input: ['go'] })
  expect(out).toBe('red ␛[31m and \\u{202e} back\nnext\n')
})

/** Ctrl-C, so often, as soon as the slow one begins to talk. */
async function interrupted(times: number) {
  const env = place()
  let interrupt = (): void => {}
  let left = times
  const ran = await withAgent('slow', {
    env,
    input: ['go', 'on'],
    onReady: (press) => {
      interrupt = press
    },
    onOutput: (text) => {
      if (text.includes('word')) for (; left > 0; left--) interrupt()
    },
  })
  const log = await filledStore(env.HOLDFAST_STORE as string, async ({ sessions }) => {
    const [{ id } = { id: '' }] = (await sessions.list()).sessions
    const session = sessions.at(id)
    return { messages: (await session.messages()).messages, run: (await session.view()).run }
  })
  return { ...ran, ...log }
}

test('Ctrl-C stops the turn, keeps what was said, and ends what was piped in', async () => {
  const { code, out, err, messages, run } = await interrupted(1)
  expect(code).toBe(exitCodes.interrupted.code)
  expect(out).toMatch(/^one more word/)
  expect(err).toContain('— stopped here')
  expect(messages).toMatchObject([{ role: 'user' }, { role: 'assistant', finish: 'interrupted' }])
  expect(run?.state).toBe('cancelled')
})

test('a second Ctrl-C waits for nothing; what was said is kept all the same', async () => {
  const { code, err, messages, run } = await interrupted(2)
  expect(code).toBe(exitCodes.interrupted.code)
  expect(err).toContain('To go on: holdfast chat')
  expect(messages).toMatchObject([{ role: 'user' }, { role: 'assistant', finish: 'interrupted' }])
  expect(run?.owner).toBeUndefined()
})

test('a run of another process is followed; Ctrl-C asks it to stop, and a second one leaves it', async () => {
  const env = place()
  const { HOLDFAST_STORE: store } = env
  await filledStore(store as string, async ({ sessions }) => {
    const session = await sessions.create({ agentId: 'default' })
    await session.append(said('user', 'go'))
    const run = await (await session.startRun({ owner: 'other', ttlMs: 60_000 })).startRound()
    const talking = setInterval(() => void run.append(said('assistant', 'still at it')), 50)
    let interrupt = (): void => {}
    let presses = 2
    const { code, out } = await chat(['last'], {
      env,
      onReady: (press) => {
        interrupt = press
      },
      onOutput: () => {
        for (; presses > 0; presses--) interrupt()
      },
    })
    clearInterval(talking)
    expect(code).toBe(exitCodes.interrupted.code)
    expect(out).toMatch(/^still at it\n/)
    expect((await session.view()).run).toMatchObject({
      state: 'running',
      owner: 'other',
      stopRequested: true,
    })
  })
})

test('what cannot be chatted with is told before anything is typed', async () => {
  const env = place()
  const other = await filledStore(env.HOLDFAST_STORE as string, async ({ sessions }) => {
    const { id } = await sessions.create({ agentId: 'support' })
    await (await sessions.create({ id: 'closed', agentId: 'default' })).close()
    return id
  })
  const ended = async (args: readonly string[]) => {
    const { code, err } = await chat(args, { env })
    return [code, err]
  }
  expect(await ended([other])).toEqual([exitCodes.missing.code, expect.stringContaining('agent support')])
  expect(await ended(['closed'])).toEqual([exitCodes.refused.code, expect.stringContaining('holdfast fork')])
  expect(await ended(['nosuch'])).toEqual([
    exitCodes.missing.code,
    expect.stringContaining('no session "nosuch"'),
  ])
  expect(await ended(['--agent', 'nosuch'])).toEqual([
    exitCodes.missing.code,
    expect.stringContaining('--agent <id> names one of default'),
  ])
  expect(await ended([other, '--agent', 'default'])).toEqual([
    exitCodes.usage.code,
    expect.stringContaining('--agent is for a new session'),
  ])
  expect(await ended(['--agent', 'nosuch', '--config', config])).toEqual([
    exitCodes.missing.code,
    expect.stringContaining('--agent <id> names one of evil, slow, broken, parent, between, strict.'),
  ])
})

test('without --agent the default one answers where it is, else the first, which is named', async () => {
  const agents = (ids: readonly string[]) =>
    projectWith(`
      import { defineAgent } from '@holdfast/agent'
      import { scriptedModel } from '@holdfast/agent/testing'
      const agent = (id: string) => defineAgent({ id, model: scriptedModel({ script: () => 'I am ' + id }) })
      export default { agents: ${JSON.stringify(ids)}.map(agent) }
    `)
  const begun = (ids: readonly string[]) =>
    chat(['--config', agents(ids)], { env: place(), input: ['hello'] })
  const [last, first] = await Promise.all([begun(['one', 'default']), begun(['one', 'two'])])
  expect([last.out, first.out]).toEqual(['I am default\n', 'I am one\n'])
  expect(last.err).not.toContain('agent default')
  expect(first.err).toContain('agent one')
})

test('a command that needs no agents loads none, also with a config file that has some', () => {
  const bin = join(import.meta.dirname, '../holdfast.js')
  const hook = `
    import { registerHooks } from 'node:module'
    const loaded = new Set()
    registerHooks({ load: (url, context, next) => { loaded.add(url); return next(url, context) } })
    process.on('exit', () => console.error([...loaded].filter((url) => /packages.agent|node_modules.(ai|@ai-sdk)\\b/.test(url)).length))
  `
  const env = { ...process.env, ...place(), HOLDFAST_CONFIG: lazy }
  const loadedBy = (...args: string[]) => {
    const all = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, bin, ...args]
    const { stderr } = spawnSync(process.execPath, all, { env, encoding: 'utf8', input: '' })
    return Number(stderr.trim().split('\n').at(-1))
  }
  for (const line of [[], ['--help'], ['chat', '--help'], ['sessions'], ['usage']]) {
    expect([line, loadedBy(...line)]).toEqual([line, 0])
  }
  expect(loadedBy('chat')).toBeGreaterThan(0)
})
