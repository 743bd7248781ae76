/** Rollouts of sub-agents, each of which names its parent, imported into a server as into a store. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../testing/place.ts'
import { run } from '../testing/run.ts'
import { type Served, served } from '../testing/served.ts'

const folder = temporaryFolder()

function rollout(thread: string, parent?: string): string {
  const source = { subagent: { thread_spawn: { parent_thread_id: parent, agent_role: 'worker' } } }
  const spoken = (role: string, type: string) => ({
    type: 'response_item',
    payload: { type: 'message', role, content: [{ type, text: `${thread} ${role}` }] },
  })
  const lines = [
    { type: 'session_meta', payload: { id: thread, ...(parent !== undefined && { source }) } },
    { type: 'event_msg', payload: { type: 'user_message', message: `for ${thread}` } },
    spoken('user', 'input_text'),
    spoken('assistant', 'output_text'),
  ]
  return lines
    .map((line) => `${JSON.stringify({ timestamp: '2026-11-01T04:05:06.789Z', ...line })}\n`)
    .join('')
}

/** Children come first by their names. */
function family(name: string) {
  const sessions = join(folder, name)
  mkdirSync(sessions)
  const saved = (file: string, text: string) => {
    writeFileSync(join(sessions, file), text)
    return join(sessions, file)
  }
  return {
    sessions,
    grandchild: saved('rollout-1.jsonl', rollout('grandchild', 'child')),
    child: saved('rollout-2.jsonl', rollout('child', 'parent')),
    parent: saved('rollout-3.jsonl', rollout('parent')),
  }
}

describe.each(['store', 'server'] as const)('an import into a %s', (kind) => {
  const servers: Served[] = []
  afterAll(() => Promise.all(servers.map((server) => server.stop())))

  async function target(name: string): Promise<string[]> {
    const store = ['--store', join(folder, `${name}-${kind}.db`)]
    if (kind === 'store') return store
    const server = await served(store)
    servers.push(server)
    return ['--server', server.url]
  }

  async function depths(place: readonly string[]): Promise<Record<string, number>> {
    const { out } = await run(['sessions', '--jsonl', '--all', ...place])
    const sessions = out.trimEnd().split('\n')
    return Object.fromEntries(
      sessions.map((text) => {
        const { title, spawnDepth } = JSON.parse(text) as { title: string; spawnDepth: number }
        return [title, spawnDepth]
      }),
    )
  }

  test('puts children below their parents, which name them', async () => {
    const [place, { sessions, child }] = [await target('tree'), family(`tree-${kind}`)]
    expect((await run(['import', sessions, ...place])).out).toMatch(/^✓ 3 new sessions, /)
    expect(await depths(place)).toEqual({ 'for parent': 0, 'for child': 1, 'for grandchild': 2 })
    const tree = (await run(['sessions', '--tree', ...place])).out
    expect(tree).toMatch(/for parent.*\n.*for child.*\n.*for grandchild/)
    const id = /\w{8}(?=.*for parent)/.exec(tree)?.[0] ?? ''
    expect((await run(['show', id, ...place])).out).toContain('codex worker')
    writeFileSync(child, rollout('child', 'parent'))
    expect((await run(['import', sessions, ...place])).out).toMatch(/^Nothing new in 3 files/)
  })

  test('does so file by file, and leaves alone what came before its parent', async () => {
    const [place, files] = [await target('files'), family(`files-${kind}`)]
    for (const file of [files.child, files.parent, files.grandchild])
      expect((await run(['import', file, ...place])).out).toMatch(/^✓ 1 new session, /)
    expect(await depths(place)).toEqual({ 'for parent': 0, 'for child': 0, 'for grandchild': 1 })
    expect((await run(['import', files.sessions, ...place])).out).toMatch(/^Nothing new in 3 files/)
  })
})
