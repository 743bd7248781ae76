/** The steps of the Dockerfile, done as a script in a folder of its own: what it copies is enough, and what it starts serves. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const steps = readFileSync(join(root, 'Dockerfile'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, step, rest = ''] = /^([A-Z]+) (.+)$/.exec(line) ?? []
    return step === undefined ? [] : [{ step, rest }]
  })

let folder: string
let server: ChildProcess | undefined

function ofStep(wanted: string): string[] {
  return steps.filter(({ step }) => step === wanted).map(({ rest }) => rest)
}

function command(wanted: 'ENTRYPOINT' | 'CMD'): string[] {
  return JSON.parse(ofStep(wanted)[0] ?? '[]') as string[]
}

function start(args: readonly string[]): ChildProcess {
  const [node, ...entry] = command('ENTRYPOINT')
  expect(node).toBe('node')
  const env = { PATH: process.env.PATH, HOME: folder, HOLDFAST_STORE: join(folder, 'data', 'holdfast.db') }
  return spawn(process.execPath, [...entry, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function output(child: ChildProcess, until: RegExp): Promise<string> {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  while (!until.test(text)) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${text}`)
    await Promise.race([
      once(child.stdout as never, 'data'),
      once(child.stderr as never, 'data'),
      once(child, 'close'),
    ])
  }
  return text
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-container-'))
  const ignored = (path: string) => /(^|\/)(node_modules|dist)(\/|$)/.test(relative(root, path))
  for (const copied of ofStep('COPY')) {
    const names = copied.split(' ')
    const target = names.pop() ?? './'
    for (const name of names) {
      const to = target.endsWith('/') && names.length > 1 ? join(folder, target, name) : join(folder, target)
      cpSync(join(root, name), to, { recursive: true, filter: (path) => !ignored(path) })
    }
  }
  const [install = ''] = ofStep('RUN')
  expect(install).toMatch(/^npm ci /)
  const env = {
    ...process.env,
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  }
  execFileSync('/bin/sh', ['-ec', install], { cwd: folder, env, stdio: 'ignore' })
}, 300_000)

afterAll(() => {
  server?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

test('the driver of Postgres is in it, and the runtimes of the tests are not', () => {
  const isIn = (name: string) => existsSync(join(folder, 'node_modules', name))
  expect(['pg', '@deno', '@oven'].map(isIn)).toEqual([true, false, false])
})

test('without keys it refuses to be reached from elsewhere; with one it serves who has it, and stops in order', async () => {
  const [serve = '', host, address] = command('CMD')
  expect([serve, host, address]).toEqual(['serve', '--host', '0.0.0.0'])
  const refused = start([...command('CMD'), '--port', '0'])
  expect(await output(refused, /keys create/)).toContain('holdfast keys create --name me')
  const key = (await output(start(['keys', 'create', '--name', 'me']), /hf_[\w-]{43}/)).match(
    /hf_[\w-]{43}/,
  )?.[0]
  server = start([...command('CMD'), '--port', '0'])
  const [, port] = (await output(server, /http:\/\/[\d.]+:\d+[\s\S]*Ctrl-C/)).match(/:(\d+)/) ?? []
  const url = `http://127.0.0.1:${port}`
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  expect((await fetch(`${url}/v1/sessions`)).status).toBe(401)
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const made = await fetch(`${url}/v1/sessions`, { method: 'POST', headers, body: '{"agentId":"support"}' })
  expect(made.status).toBe(201)
  const ended = once(server, 'exit')
  server.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})
