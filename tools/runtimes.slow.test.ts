/**
 * The client as it is published, on Deno and on Bun: the example of the README, and a session that is followed through a
 * restart of its server. Both come from npm for Linux; elsewhere they are skipped, and it is said why.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createClient } from '@holdfast/client'
import { sqlite } from '@holdfast/core/sqlite'
import { type Serving, serve } from '@holdfast/server/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildInto } from '../bench/lib/built.ts'
import { root } from './packages.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-runtimes-'))
const modules = join(root, 'node_modules')

const runtimes = [
  {
    name: 'Deno',
    program: join(modules, '@deno/linux-x64-glibc/deno'),
    // From `node_modules` as it is, and nothing from elsewhere.
    args: ['run', '--node-modules-dir=manual', '--cached-only', '--allow-net'],
  },
  { name: 'Bun', program: join(modules, '@oven/bun-linux-x64/bin/bun'), args: ['run'] },
]

let serving: Serving

function listening(port: number): Promise<Serving> {
  return serve({ store: sqlite(join(folder, 'holdfast.db')), port, signals: [], drainMs: 100 })
}

beforeAll(async () => {
  buildInto(folder)
  const dependencies = { '@holdfast/client': '0.1.0' }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', dependencies }))
  serving = await listening(0)
}, 120_000)

afterAll(async () => {
  await serving.close()
  rmSync(folder, { recursive: true })
})

/** The program of the README's client example, and what it prints. */
function example(): { program: string; printed: string } {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const found = /cat > client\.ts <<'EOF'\n([\s\S]*?)\nEOF\n[\s\S]*?```\n\n```\n([\s\S]*?)```/.exec(readme)
  const [, program = '', printed = ''] = found ?? []
  return { program: program.replace('http://localhost:4780', serving.url), printed }
}

const following = (id: string) => `
  import { createClient } from '@holdfast/client'
  const client = createClient({ url: '${serving.url}' })
  for await (const item of client.sessions.follow('${id}', { types: ['message.*'] })) {
    if (item.type !== 'event') continue
    const [part] = item.event.data.parts
    console.log(part.text)
    if (part.text === 'last') break
  }
`

test('nothing of the client needs Node', () => {
  for (const name of ['client', 'protocol']) {
    const code = readFileSync(join(folder, 'node_modules/@holdfast', name, 'index.js'), 'utf8')
    expect(code).not.toMatch(/["']node:|\brequire\(/)
  }
})

for (const { name, program, args } of runtimes) {
  const isHere = existsSync(program)
  if (!isHere) console.warn(`skipped: the client on ${name}, which npm has not installed on this platform`)

  describe.skipIf(!isHere)(`the client on ${name}`, () => {
    function started(file: string, code: string): ChildProcess & { stdout: NodeJS.ReadableStream } {
      writeFileSync(join(folder, file), code)
      const env = { PATH: process.env.PATH, HOME: folder, DENO_DIR: folder, DENO_NO_UPDATE_CHECK: '1' }
      const child = spawn(program, [...args, file], {
        cwd: folder,
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      return child as ChildProcess & { stdout: NodeJS.ReadableStream }
    }

    test('is that runtime', async () => {
      const { stdout } = started('which.ts', `console.log('${name}' in globalThis)`)
      expect(await text(stdout)).toBe('true\n')
    })

    test('does what the README says', async () => {
      const { program: code, printed } = example()
      expect(printed).not.toBe('')
      expect(await text(started('client.ts', code).stdout)).toBe(printed)
    })

    test('follows a session through a restart of the server', async () => {
      const said = async (id: string, words: string) =>
        createClient({ url: serving.url }).sessions.append(id, {
          role: 'user',
          parts: [{ type: 'text', text: words }],
        })
      const { id } = await createClient({ url: serving.url }).sessions.create({ agentId: 'agent' })
      await said(id, 'first')
      const { stdout } = started('follow.ts', following(id))
      const seen: string[] = []
      stdout.setEncoding('utf8')
      for await (const chunk of stdout) {
        seen.push(...String(chunk).trim().split('\n'))
        if (seen.length > 1) continue
        const { port } = new URL(serving.url)
        await serving.close()
        serving = await listening(Number(port))
        await said(id, 'middle')
        await said(id, 'last')
      }
      expect(seen).toEqual(['first', 'middle', 'last'])
    })
  })
}
