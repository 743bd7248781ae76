import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { type Built, buildInto } from '../bench/lib/built.ts'
import { listPackages } from './packages.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-packed-'))
let built: Built

beforeAll(() => {
  built = buildInto(folder)
}, 120_000)

afterAll(() => rmSync(folder, { recursive: true }))

/** What a program that has the packages installed prints, as JSON. */
function run(program: string): unknown {
  const path = join(folder, 'host.mjs')
  writeFileSync(path, program)
  const { status, stdout, stderr } = spawnSync(process.execPath, [path], { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return JSON.parse(stdout)
}

function installed(name: string, path = ''): string {
  return join(folder, 'node_modules', name, path)
}

const published = listPackages().flatMap(({ manifest: { name, exports } }) =>
  Object.entries(exports)
    .filter(([, path]) => path.endsWith('.ts'))
    .map(([subpath]) => ({ name, subpath, specifier: `${name}${subpath.slice(1)}` })),
)

describe.each(published)('$specifier, as it is published', ({ name, subpath, specifier }) => {
  it('exports what its source does', async () => {
    const names = run(`console.log(JSON.stringify(Object.keys(await import('${specifier}')).sort()))`)
    expect(names).toEqual(Object.keys(await import(specifier)).sort())
  })

  it('has its declarations', () => {
    const { exports } = JSON.parse(readFileSync(installed(name, 'package.json'), 'utf8'))
    expect(existsSync(installed(name, exports[subpath].types))).toBe(true)
  })
})

test('no class is there twice: an error of any store is the HoldfastError that a host imports', () => {
  const caught = run(`
    import { HoldfastError, isHoldfastError } from '@holdfast/protocol'
    import { openHoldfast } from '@holdfast/core'
    import { memory } from '@holdfast/core/memory'
    import { sqlite } from '@holdfast/core/sqlite'
    import { formatNamed } from '@holdfast/transcripts'
    const told = []
    async function tell(work) {
      try { await work() }
      catch (error) { told.push([error instanceof HoldfastError, isHoldfastError(error), error.code]) }
    }
    for (const store of [memory(), sqlite(':memory:')]) {
      const holdfast = await openHoldfast({ store })
      await tell(() => holdfast.sessions.open('none'))
      await holdfast.close()
      await tell(() => holdfast.sessions.open('none'))
    }
    await tell(() => sqlite('/dev/null/none').open({}))
    await tell(() => formatNamed('none'))
    console.log(JSON.stringify(told))
  `)
  const codes = [
    'not_found',
    'store_closed',
    'not_found',
    'store_closed',
    'store_unavailable',
    'invalid_input',
  ]
  expect(caught).toEqual(codes.map((code) => [true, true, code]))
})

test('the store suite finds nothing in the published memory store', () => {
  const report = run(`
    import { runStoreConformance } from '@holdfast/core/conformance'
    import { memory } from '@holdfast/core/memory'
    const open = async (options) => {
      const place = memory()
      const handle = () => place.open(options)
      return { store: await handle(), another: handle, reopen: handle, dispose: async () => {} }
    }
    const { failed, passed } = await runStoreConformance({ name: 'memory', open })
    console.log(JSON.stringify({ failed, somePassed: passed > 0 }))
  `)
  expect(report).toEqual({ failed: 0, somePassed: true })
})

test('a published store writes on a thread of its own', () => {
  const told = run(`
    import { openHoldfast } from '@holdfast/core'
    import { sqlite } from '@holdfast/core/sqlite'
    const holdfast = await openHoldfast({ store: sqlite('${join(folder, 'threaded.db')}', { writer: 'thread' }) })
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    await session.append({ role: 'user', parts: [{ type: 'text', text: 'hello' }] })
    console.log(JSON.stringify((await session.messages()).messages.length))
    await holdfast.close()
  `)
  expect(told).toBe(1)
})

test('every thread begins with a file that is there', () => {
  const threads = listPackages().flatMap(({ manifest: { name } }) => {
    const { imports = {} } = JSON.parse(readFileSync(installed(name, 'package.json'), 'utf8'))
    return Object.values<string>(imports).map((path) => installed(name, path))
  })
  expect(threads).toHaveLength(3)
  expect(threads.filter((path) => !existsSync(path))).toEqual([])
})

test('the command runs', () => {
  const { status, stdout } = spawnSync(process.execPath, [built.command, '--help'], { encoding: 'utf8' })
  expect(status).toBe(0)
  expect(stdout).toContain('holdfast')
})

test('the first file of the command imports nothing before it has looked at the version of Node', () => {
  expect(readFileSync(built.command, 'utf8')).not.toMatch(/^import /m)
})

test('the license of what is bundled lies beside it', () => {
  expect(readFileSync(installed('@holdfast/protocol', 'LICENSE.zod'), 'utf8')).toContain('MIT')
})
