import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { formats } from '@holdfast/transcripts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exitCodes } from '../exit-codes.ts'
import { pepperFile } from '../place/pepper.ts'
import { filledStore, said, temporaryFolder } from '../testing/place.ts'
import { projectWith } from '../testing/project.ts'
import { run } from '../testing/run.ts'
import { type Served, served } from '../testing/served.ts'

const folder = temporaryFolder()
const store = join(folder, 'holdfast.db')

let server: Served
let id: string

beforeAll(async () => {
  id = await filledStore(store, async ({ sessions }) => {
    const talk = await sessions.create({ agentId: 'support', ownerUserId: 'u1', title: 'sushi order' })
    await talk.append([said('user', 'Where is my sushi?'), said('assistant', 'On its way.')])
    await talk.recordUsage({ attemptId: 'a1', model: 'm1', promptTokens: 12, completionTokens: 3 })
    const image = await talk.putAttachment({ bytes: Buffer.from('an image'), mediaType: 'image/png' })
    await talk.append({ role: 'user', parts: [{ type: 'image', ...image }] })
    await talk.putCheckpoint({ channels: { state: { step: 1 } } })
    await talk.spawnChild({ agentId: 'courier', title: 'ask the courier' })
    return talk.id
  })
  server = await served(['--store', store])
  // All are older than `prune` is asked for below, whenever it is asked.
  await new Promise((resolve) => setTimeout(resolve, 1_000))
})

afterAll(() => server.stop())

test('it says where it is, what it keeps, who is let in, and what to try', async () => {
  const out = server.out()
  expect(out).toContain(`Store  ${store}`)
  expect(out).toContain('an acknowledged write is on disk')
  expect(out).toContain('Keys   none')
  expect(out).toContain('once it is started again')
  expect(out).toContain(`curl -s ${server.url}/v1/sessions`)
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
})

test('a synchronous standby is required of a file in vain', async () => {
  const { code, err } = await run(['serve', '--store', store, '--require-sync-standby'])
  expect(code).toBe(exitCodes.store.code)
  expect(err).toContain('A synchronous standby is required')
})

test.each([
  ['sessions'],
  ['sessions --tree'],
  ['sessions --json --agent support --status idle'],
  ['sessions --jsonl --all'],
  ['show ID'],
  ['show ID --json'],
  ['show ID --tail 1'],
  ['search sushi'],
  ['search sushi --json --session ID'],
  ['usage --by model --csv'],
  ['usage --by tree --json --agent support'],
  ['diff ID ID'],
  ['diff ID ID --json'],
  ['prune --keep 0 --model m1 --status idle --dry-run'],
  ['prune --older-than 1s --lineage root --dry-run --json'],
  ...formats.filter(({ write }) => write).map(({ name }): [string] => [`export ID --format ${name}`]),
])('`%s` says the same of a server as of its store', async (line) => {
  const args = line.replaceAll('ID', id.slice(-8)).split(' ')
  const ofStore = await run([...args, '--store', store])
  expect(ofStore.code).toBe(0)
  expect(ofStore.out).not.toBe('')
  expect(await run([...args, '--server', server.url])).toEqual(ofStore)
  expect(await run(args, { env: { HOLDFAST_SERVER: server.url } })).toEqual(ofStore)
})

test('a session is followed through the server', async () => {
  let interrupt = (): void => {}
  const onReady = (press: () => void) => {
    interrupt = press
  }
  const onOutput = (text: string) => {
    if (text.includes('On its way')) interrupt()
  }
  const ended = await run(['follow', id, '--server', server.url, '--after', '0', '--jsonl'], {
    onReady,
    onOutput,
  })
  expect(ended.code).toBe(0)
  const first = JSON.parse(ended.out.split('\n')[0] ?? '')
  expect(first).toMatchObject({ type: 'event', cursor: '1', event: { seq: 1, type: 'session.created' } })
})

test.each(['backup copy.db', 'doctor', 'repair', 'migrate', 'serve'])(
  '`%s` works on a store itself, and says so of a server',
  async (line) => {
    const env = { HOLDFAST_SERVER: server.url }
    const { code, out, err } = await run(line.split(' '), { env })
    expect({ code, out }).toEqual({ code: exitCodes.usage.code, out: '' })
    expect(err).toContain(`the settings name the server ${server.url}`)
    expect(err).toContain('--store <path>')
    const asJson = await run([...line.split(' '), '--json'], { env })
    expect(JSON.parse(asJson.err)).toMatchObject({ error: { code: 'invalid_input' } })
  },
)

test('what is not there is missing, and a server and a store are not both meant', async () => {
  expect((await run(['show', 'none', '--server', server.url])).code).toBe(exitCodes.missing.code)
  const both = await run(['sessions', '--server', server.url, '--store', store])
  expect(both.code).toBe(exitCodes.usage.code)
})

test('a server that is not there is told as one, and a port that is taken as that', async () => {
  const gone = await run(['sessions', '--server', 'http://127.0.0.1:1'])
  expect(gone.code).toBe(exitCodes.store.code)
  expect(gone.err).toContain('the server did not answer')
  const taken = await run(['serve', '--store', store, '--port', new URL(server.url).port])
  expect(taken.code).toBe(exitCodes.usage.code)
  expect(taken.err).toContain('is taken')
})

test('an import goes to the tenant of the key, or is refused with the name of that tenant', async () => {
  const own = join(folder, 'team.db')
  const team = await served(['--store', own, '--tenant', 'team'])
  const samples = join(import.meta.dirname, '../../../transcripts/samples/claude-code')
  const elsewhere = await run(['import', samples, '--server', team.url])
  expect(elsewhere.code).not.toBe(0)
  expect(elsewhere.err).toContain('in tenant team')
  const named = await run(['import', samples, '--server', team.url, '--tenant', 'team'])
  expect(named.out).toMatch(/^✓ 9 new sessions, /)
  expect((await run(['import', samples, '--server', team.url])).out).toMatch(/^Nothing new in /)
  const [seen, kept] = await Promise.all([
    run(['sessions', '--jsonl', '--all', '--server', team.url]),
    run(['sessions', '--jsonl', '--all', '--store', own, '--tenant', 'team']),
  ])
  expect(seen.out).toBe(kept.out)
  await team.stop()
})

test('an import stops at a server that does not let it in', async () => {
  const own = join(folder, 'closed.db')
  const key = (await run(['keys', 'create', '--name', 'r', '--scope', 'read', '--store', own])).out.trim()
  const keyed = await served(['--store', own])
  const samples = join(import.meta.dirname, '../../../transcripts/samples/claude-code')
  const env = { HOLDFAST_SERVER: keyed.url, HOLDFAST_KEY: key }
  const refused = await run(['import', samples, '--json'], { env })
  expect(refused.code).toBe(exitCodes.usage.code)
  expect(JSON.parse(refused.err.split('\n').at(-2) ?? '')).toMatchObject({ error: { code: 'forbidden' } })
  await keyed.stop()
})

test('elsewhere than on this machine it is reached with keys only, and the refusal names the command', async () => {
  const own = join(folder, 'keyed.db')
  const refused = await run(['serve', '--host', '0.0.0.0', '--port', '0', '--store', own])
  expect(refused.code).toBe(exitCodes.usage.code)
  expect(refused.err).toContain('holdfast keys create --name me')
  expect(existsSync(own)).toBe(false)
  const made = await run(['keys', 'create', '--name', 'me', '--store', own])
  expect(made.out).toMatch(/^hf_[\w-]{43}\n$/)
  expect(statSync(pepperFile(own)).mode & 0o777).toBe(0o600)
  const keyed = await served(['--host', '0.0.0.0', '--store', own])
  expect(keyed.out()).toContain('Keys   needed')
  expect(keyed.out()).toContain('authorization: Bearer $HOLDFAST_KEY')
  const { port } = new URL(keyed.url)
  const url = `http://127.0.0.1:${port}`
  expect((await fetch(`${url}/v1/sessions`)).status).toBe(401)
  const env = { HOLDFAST_SERVER: url, HOLDFAST_KEY: made.out.trim() }
  expect((await run(['sessions', '--json'], { env })).out).toBe('{"data":[]}\n')
  expect((await run(['sessions'], { env: { HOLDFAST_SERVER: url } })).code).toBe(exitCodes.usage.code)
  expect((await keyed.stop()).code).toBe(0)
})

test('the first key says that a server which runs already is to be started again, and no other does', async () => {
  const own = join(folder, 'first-key.db')
  const open = await served(['--store', own])
  const create = ['keys', 'create', '--name', 'me', '--store', own]
  const restart = 'A server that was started without keys lets everyone in until it is started again.'
  expect((await run(create)).err).toContain(restart)
  await open.stop()
  const again = await served(['--store', own])
  expect((await fetch(`${again.url}/v1/sessions`)).status).toBe(401)
  expect((await run(create)).err).not.toContain(restart)
  await again.stop()
})

test('the examples promise no lock before the server is started again', async () => {
  const { out } = await run(['serve', '--help'])
  expect(out).toContain('a server started from then on asks for keys')
})

test('what it says to try names an agent that works there', async () => {
  const config = projectWith(`
    import { defineAgent } from '@holdfast/agent'
    import { scriptedModel } from '@holdfast/agent/testing'
    const model = scriptedModel({ script: () => 'Here I am.' })
    export default { agents: ['bad', 'kid', 'slow'].map((id) => defineAgent({ id, model })) }
  `)
  const place = ['--store', join(folder, 'named.db'), '--config', config]
  const named = await served(place)
  await expect.poll(named.out).toContain('Ctrl-C stops it.')
  expect(named.out()).toContain(`-d '{"agentId":"bad"}'`)
  expect(named.out()).toContain(`npx holdfast chat --server ${named.url} --agent bad`)
  const refused = await run(['chat', '--server', named.url], { input: ['hello'] })
  expect(refused.code).not.toBe(0)
  expect(refused.err).toContain('here are bad, kid, slow')
  expect(refused.err).toContain('--agent <id>')
  expect(refused.err).not.toContain('To go on')
  expect((await run(['sessions', '--json', '--server', named.url])).out).toBe('{"data":[]}\n')
  await named.stop()
})

test('keys are made, listed and revoked, in the store and through the server', async () => {
  const own = join(folder, 'keys.db')
  const admin = (await run(['keys', 'create', '--name', 'admin', '--store', own])).out.trim()
  const keyed = await served(['--store', own])
  const env = { HOLDFAST_SERVER: keyed.url, HOLDFAST_KEY: admin }
  const bound = ['--scope', 'read', '--user', 'u1', '--expires', '1d']
  const made = JSON.parse(
    (await run(['keys', 'create', '--name', 'bot', ...bound, '--json'], { env, nowMs: Date.now() })).out,
  ).data
  expect(made).toMatchObject({ name: 'bot', scopes: ['read'], userId: 'u1' })
  const listed = await run(['keys', 'list'], { env })
  expect(listed.out).toContain('bot')
  expect(listed.out).not.toContain('hf_')
  expect((await run(['keys', 'list', '--store', own])).out).toBe(listed.out)
  const bot = { ...env, HOLDFAST_KEY: made.key }
  expect((await run(['sessions'], { env: bot })).code).toBe(0)
  expect((await run(['keys', 'revoke', made.id], { env })).err).toContain('bot lets nobody in')
  expect((await run(['sessions'], { env: bot })).code).toBe(exitCodes.usage.code)
  expect((await run(['keys', 'revoke'], { env })).err).toContain('name the key')
  expect((await run(['keys', 'create'], { env })).err).toContain('--name')
  await keyed.stop()
})

test('pages that are named may call, and each request is a line of JSON where that is asked for', async () => {
  const own = join(folder, 'logged.db')
  const told = await served(['--store', own, '--log', 'info', '--origin', 'https://a.example'])
  const { headers } = await fetch(`${told.url}/v1/sessions`, { headers: { origin: 'https://a.example' } })
  expect(headers.get('access-control-allow-origin')).toBe('https://a.example')
  const [line = ''] = (await told.stop()).err.split('\n')
  expect(JSON.parse(line)).toMatchObject({ method: 'GET', path: '/v1/sessions', status: 200 })
})

test('what fails in an agent is a line of JSON, without the secrets in it', async () => {
  const secret = `sk-proj-${'abab'.repeat(8)}`
  const config = projectWith(`
    import { defineAgent } from '@holdfast/agent'
    import { scriptedModel } from '@holdfast/agent/testing'
    const agent = defineAgent({ id: 'broken', model: scriptedModel({ script: () => 'never' }) })
    const broken = () => { throw new Error('Incorrect API key provided: ${secret}') }
    export default { agents: [Object.defineProperty({ ...agent }, 'instructions', { get: broken })] }
  `)
  const broken = await served(['--store', join(folder, 'broken.db'), '--config', config])
  const headers = { 'content-type': 'application/json' }
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${broken.url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    return (await answer.json()) as { id: string; outcome: string }
  }
  const { id } = await post('/v1/sessions', { agentId: 'broken' })
  expect((await post(`/v1/sessions/${id}/turns`, { input: 'hi' })).outcome).toBe('failed')
  const { err } = await broken.stop()
  expect(JSON.parse(err.split('\n')[0] ?? '')).toMatchObject({
    level: 50,
    sessionId: id,
    msg: expect.stringContaining('sk-[redacted]'),
  })
  expect(err).not.toContain('abab')
})

test('with another secret no key is known', async () => {
  const own = join(folder, 'other.db')
  const key = (await run(['keys', 'create', '--name', 'me', '--store', own])).out.trim()
  const other = await served(['--store', own], { HOLDFAST_PEPPER: 'another secret of thirty-two bytes' })
  const env = { HOLDFAST_SERVER: other.url, HOLDFAST_KEY: key }
  expect((await run(['sessions'], { env })).code).toBe(exitCodes.usage.code)
  await other.stop()
})
