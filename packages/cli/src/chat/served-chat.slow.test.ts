/** `npm start` without any key: a person chats with the labelled script, allows a tool, and goes on after the server was killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { temporaryFolder } from '../testing/place.ts'
import { run } from '../testing/run.ts'

const root = join(import.meta.dirname, '../../../..')
const folder = temporaryFolder()
let server: ChildProcess | undefined

afterEach(() => server?.kill('SIGKILL'))

/** As `npm start` does; gives where it is. */
async function started(): Promise<string> {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const env = { ...process.env, HOLDFAST_STORE: join(folder, 'held.db'), HOLDFAST_MODEL: 'offline-scripted' }
  const args = [...scripts.start.split(' ').slice(1), '--port', '0']
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  server = child
  let told = ''
  for await (const chunk of child.stdout) {
    told += String(chunk)
    const url = /http:\/\/[\d.]+:\d+/.exec(told)?.[0]
    if (url !== undefined && told.includes('Try')) {
      expect(told).toContain('offline-scripted')
      return url
    }
  }
  throw new Error(`the server ended and said: ${told}`)
}

async function killed(): Promise<void> {
  const child = server as ChildProcess
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  expect(await ended).toEqual([null, 'SIGKILL'])
}

it('a person chats, allows a tool, and goes on with what was asked before the server was killed', async () => {
  const first = await started()
  const before = await run(['chat', '--server', first], {
    input: ['hello', 'What time is it? Ask me first.', 'yes', 'What time is it? Ask me first.'],
  })
  expect(before.out).toContain('[offline-scripted] No model is set up')
  expect(before.out.match(/The tool says: \w+day/g)).toHaveLength(1)
  expect(before.err).toContain('May clock run with {"askFirst":true}?')
  await killed()
  const second = await started()
  const after = await run(['chat', 'last', '--server', second], { input: ['yes', 'What time is it?'] })
  expect(after.code).toBe(0)
  expect(after.out.match(/The tool says: \w+day/g)).toHaveLength(2)
  const { data } = JSON.parse((await run(['sessions', '--json', '--server', second])).out)
  expect(data).toMatchObject([{ agentId: 'default', status: 'idle', counters: { turnCount: 4 } }])
})
