import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sqlite } from './index.ts'
import { TemporaryPlace } from './temporary.ts'

let place: TemporaryPlace
beforeEach(() => {
  place = new TemporaryPlace()
})
afterEach(() => place.remove())

const turnsOfEach = 60

it.each(['caller', 'thread'] as const)(
  'eight writers and eight readers on one new file all do their work, and no commit is lost (writer: %s)',
  async (thread) => {
    const children = Array.from({ length: 16 }, (_, at) => run(at < 8 ? writer(thread) : reader(), `p${at}`))
    const results = await Promise.all(children)
    expect(results.map(({ stderr }) => stderr).filter(Boolean)).toEqual([])
    expect(results.map(({ code }) => code)).toEqual(results.map(() => 0))

    const store = await sqlite(place.path).open({})
    const range = { limit: 10_000, maxBytes: 1e9, direction: 'forward' } as const
    const shared = await store.readEvents(tenantId('t'), 'shared', range)
    expect(shared.map(({ seq }) => seq)).toEqual(shared.map((_, at) => at + 1))
    const counts = new Map<unknown, number>()
    for (const { body } of shared) {
      const { by } = JSON.parse(body) as { by: string }
      counts.set(by, (counts.get(by) ?? 0) + 1)
    }
    expect([...counts.values()]).toEqual(Array.from({ length: 8 }, () => turnsOfEach))
    for (let at = 0; at < 8; at += 1) {
      expect((await store.readHead(tenantId('t'), `p${at}`))?.seq).toBe(turnsOfEach)
    }
    await store.close()
    expect(place.behind('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  },
)

async function run(program: string, name: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, place.path, name])
  const stderr = text(child.stderr)
  child.stdout.resume()
  const [code] = await once(child, 'close')
  return { code, stderr: await stderr }
}

function common(thread: 'caller' | 'thread'): string {
  const at = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)
  return `
    import { sqlite } from ${at('./index.ts')}
    import { commitOf } from ${at('../conformance/build.ts')}
    const [path, name] = process.argv.slice(1)
    const store = await sqlite(path, { writer: '${thread}' }).open({})
    const events = [JSON.stringify({ by: name, says: 'x'.repeat(500) })]
    let sent = 0
    async function append(sessionId) {
      for (;;) {
        const baseSeq = (await store.readHead('t', sessionId))?.seq ?? 0
        const create = baseSeq === 0
        const commitId = name + ' ' + (sent += 1)
        const commit = commitOf({ tenantId: 't', sessionId, baseSeq, create, commitId, events })
        const [{ status }] = await store.commit([commit])
        if (status === 'committed') return
      }
    }`
}

/** Appends to a session of its own and to one that all writers share. */
function writer(thread: 'caller' | 'thread'): string {
  return `${common(thread)}
    for (let turn = 0; turn < ${turnsOfEach}; turn += 1) {
      await append(name)
      await append('shared')
    }
    await store.close()`
}

/** Reads while the others write: what it reads is always a whole prefix. */
function reader(): string {
  return `${common('caller')}
    let last = 0
    for (let turn = 0; turn < 400; turn += 1) {
      const page = await store.readEvents('t', 'shared', { limit: 50, maxBytes: 1e6, direction: 'backward' })
      const newest = page[0]?.seq ?? 0
      if (newest < last) throw new Error('went back from ' + last + ' to ' + newest)
      last = newest
      await store.listHeads('t', { index: 'all', limit: 20 })
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await store.close()`
}
