/**
 * The README's commands, run as they stand: each `sh` block in a shell, and what it prints held against the block after it,
 * where `…` stands for anything. Only the port is another one, and files are written to a folder of their own.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

interface Example {
  title: string
  script: string
  printed: string | undefined
}

function examplesIn(title: string): Example[] {
  const section = readme.split(/^## /m).find((one) => one.startsWith(`${title}\n`)) ?? ''
  const blocks = [...section.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, kind, text]) => ({
    kind,
    text: text ?? '',
  }))
  return blocks.flatMap(({ kind, text }, n) => {
    const next = blocks[n + 1]
    if (kind !== 'sh') return []
    return [{ title: `${title} ${n + 1}`, script: text, printed: next?.kind === '' ? next.text : undefined }]
  })
}

/** Under the root, so that the packages are found from there. */
let folder: string
let server: ChildProcess
let url = ''

beforeAll(async () => {
  mkdirSync(join(root, '.holdfast'), { recursive: true })
  folder = mkdtempSync(join(root, '.holdfast', 'readme-'))
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const [program, ...args] = scripts.start.split(' ')
  expect(program).toBe('node')
  server = spawn(process.execPath, [...args, '--port', '0'], {
    cwd: root,
    // Whatever keys and servers there are where the tests run, the script answers.
    env: {
      ...process.env,
      HOLDFAST_STORE: join(folder, 'holdfast.db'),
      HOLDFAST_MODEL: 'offline-scripted',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  url = await announced(server)
})

afterAll(() => {
  server.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function announced({ stdout }: ChildProcess): Promise<string> {
  let text = ''
  return new Promise((resolve, reject) => {
    stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const found = /http:\/\/[\d.]+:\d+/.exec(text)
      if (found) resolve(found[0])
    })
    stdout?.once('end', () => reject(new Error(`the server ended and said: ${text}`)))
  })
}

function run(script: string): Promise<{ code: number; out: string; err: string }> {
  const here = script
    .replaceAll(/(http:\/\/)?localhost:4780/g, url)
    .replaceAll('npx node', `"${process.execPath}"`)
  return new Promise((resolve) => {
    execFile('/bin/sh', ['-e', '-c', here], { cwd: folder }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    )
  })
}

function pattern(printed: string): RegExp {
  const quoted = printed.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${quoted.replaceAll(/\s+/g, '\\s*').replaceAll('…', '[\\s\\S]*')}$`)
}

const hasCurl = spawnSync('curl', ['--version']).status === 0
if (!hasCurl) console.warn('skipped: the curl examples of the README, for there is no curl')

describe('the README', () => {
  const examples = ['Over HTTP', 'An agent', 'As a library'].flatMap(examplesIn)

  test('has examples, each with what it prints', () => {
    expect(examples.length).toBeGreaterThanOrEqual(6)
    expect(examples.filter(({ printed }) => printed === undefined)).toEqual([])
  })

  for (const { title, script, printed } of examples) {
    test.skipIf(script.includes('curl') && !hasCurl)(`${title} prints what it says`, async () => {
      const { code, out, err } = await run(script)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out.trim()).toMatch(pattern(printed ?? ''))
    })
  }

  test('has programs that compile under strict TypeScript', () => {
    const programs = [...readme.matchAll(/^cat > (\w+\.ts) <<'EOF'\n([\s\S]*?)^EOF$/gm)]
    expect(programs.length).toBeGreaterThanOrEqual(2)
    for (const [, name, text = ''] of programs) writeFileSync(join(folder, `strict-${name}`), text)
    const config = { extends: join(root, 'tsconfig.json'), include: [join(folder, 'strict-*.ts')] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]
    const { status, stdout } = spawnSync(process.execPath, tsc, { encoding: 'utf8' })
    expect(stdout.split('\n').filter((line) => line.includes('strict-'))).toEqual([])
    expect(status === 0 || stdout !== '').toBe(true)
  })

  test('names only files that are there', () => {
    const linked = [...readme.matchAll(/\]\((?!http)([^)#]+)\)/g)].map(([, path]) => path ?? '')
    expect(linked.length).toBeGreaterThan(5)
    for (const path of linked) expect(existsSync(join(root, path)), path).toBe(true)
  })

  test('what it started ends in order when it is told to', async () => {
    const ended = once(server, 'exit')
    server.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })
})
