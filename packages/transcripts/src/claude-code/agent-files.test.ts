import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { importPaths } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import { allMessages, openMemory, temporaryFolder, transcripts } from '../testing/imported.ts'
import { agentFilesOf, ownerOf } from './agent-files.ts'

const name = '0ccf1a04-1b4c-43b6-8aa5-79e41db43a68'
const other = '4b2030ed-5563-49ea-b703-6a002f2d3cc8'
const samples = join(transcripts, 'claude-code')
const agents = readdirSync(join(samples, name, 'subagents')).sort()

/** As earlier versions of the program laid them out. */
function besideIts(sessions: readonly string[]): string {
  const folder = temporaryFolder()
  for (const session of sessions) {
    copyFileSync(join(samples, `${session}.jsonl`), join(folder, `${session}.jsonl`))
    const subagents = join(samples, session, 'subagents')
    for (const agent of readdirSync(subagents)) copyFileSync(join(subagents, agent), join(folder, agent))
  }
  return folder
}

async function listed(path: string) {
  const holdfast = await openMemory()
  const { failed, sessions: told } = await importPaths(holdfast, [path])
  expect(failed).toEqual([])
  const { sessions } = await holdfast.sessions.list({}, { limit: 100 })
  expect(told).toBe(sessions.length)
  const ids = sessions.map(({ id, parentSessionId, counters }) => ({ id, parentSessionId, counters }))
  return { holdfast, sessions: ids.sort((a, b) => a.id.localeCompare(b.id)) }
}

test('files of sub-agents beside those of their sessions are read as those in their folders are', async () => {
  expect((await listed(besideIts([name, other]))).sessions).toEqual((await listed(samples)).sessions)
})

test('the file of a sub-agent leads to that of its session', async () => {
  const folder = besideIts([name, other])
  const [agent = ''] = agents
  expect(ownerOf(join(folder, agent))).toBe(join(folder, `${name}.jsonl`))
  const whole = await listed(join(folder, `${name}.jsonl`))
  expect((await listed(join(folder, agent))).sessions).toEqual(whole.sessions)
  expect(whole.sessions.filter(({ parentSessionId }) => parentSessionId)).toHaveLength(agents.length)
})

test('a sub-agent whose session is gone is a session with all that was said', async () => {
  const folder = besideIts([name])
  rmSync(join(folder, `${name}.jsonl`))
  const { holdfast, sessions } = await listed(folder)
  expect(sessions).toHaveLength(agents.length)
  const child = sessionIdOf('default', 'claude-code', `${name}/${agents[0]?.slice(6, -6)}`)
  const { holdfast: whole } = await listed(samples)
  const said = async (from: typeof holdfast, id: string) =>
    (await allMessages(await from.sessions.open(id))).map(({ role, parts }) => ({ role, parts }))
  const alone = sessionIdOf('default', 'claude-code', `${agents[0]?.slice(0, -6)}`)
  expect(await said(holdfast, alone)).toEqual(await said(whole, child))
})

test('what is no file, or leads to none, harms nobody', async () => {
  const folder = besideIts([name])
  const subagents = join(folder, name, 'subagents')
  for (const place of [folder, subagents]) {
    mkdirSync(place, { recursive: true })
    execFileSync('mkfifo', [join(place, 'agent-pipe.jsonl')])
    mkdirSync(join(place, 'agent-folder.jsonl'))
    symlinkSync(join(folder, 'nowhere'), join(place, 'agent-gone.jsonl'))
    symlinkSync('agent-loop.jsonl', join(place, 'agent-loop.jsonl'))
  }
  symlinkSync('..', join(subagents, 'up'))
  expect(agentFilesOf(join(folder, `${name}.jsonl`))).toHaveLength(agents.length)
  const { failed, newSessions } = await importPaths(await openMemory(), [folder])
  expect(newSessions).toBe(1 + agents.length + 1)
  expect(failed.map(({ code, path }) => [code, path.split('/').at(-1)]).sort()).toEqual([
    ['ELOOP', 'agent-loop.jsonl'],
    ['ELOOP', 'agent-loop.jsonl'],
    ['ENOENT', 'agent-gone.jsonl'],
    ['ENOENT', 'agent-gone.jsonl'],
  ])
})

test('a file that is not written yet is seen once it names its session, and keeps nobody from being remembered', () => {
  const folder = besideIts([name])
  const path = join(folder, `${name}.jsonl`)
  const late = join(folder, 'agent-late.jsonl')
  writeFileSync(late, '')
  utimesSync(folder, 1_000, 1_000)
  expect(agentFilesOf(path)).not.toContain(late)
  writeFileSync(late, `${JSON.stringify({ isSidechain: true, sessionId: name })}\n`)
  expect(agentFilesOf(path)).toContain(late)
})

test('a file that comes later is seen, also in a folder that was looked through before', () => {
  const folder = besideIts([name])
  const path = join(folder, `${name}.jsonl`)
  const [late = ''] = agents
  rmSync(join(folder, late))
  utimesSync(folder, 1_000, 1_000)
  expect(agentFilesOf(path)).toHaveLength(agents.length - 1)
  copyFileSync(join(samples, name, 'subagents', late), join(folder, late))
  expect(agentFilesOf(path)).toHaveLength(agents.length)
})

test('an agent that a fork of its session links to is that of the session', async () => {
  const folder = temporaryFolder()
  const subagents = join(folder, other, 'subagents')
  mkdirSync(subagents, { recursive: true })
  for (const session of [name, other])
    copyFileSync(join(samples, `${session}.jsonl`), join(folder, `${session}.jsonl`))
  mkdirSync(join(folder, name, 'subagents'), { recursive: true })
  const agent = agents[0] as string
  copyFileSync(join(samples, name, 'subagents', agent), join(folder, name, 'subagents', agent))
  symlinkSync(join(folder, name, 'subagents', agent), join(subagents, agent))
  expect(agentFilesOf(join(folder, `${other}.jsonl`))).toEqual([])
  const { sessions } = await listed(folder)
  const idOf = (session: string) => sessionIdOf('default', 'claude-code', session)
  expect(sessions.flatMap(({ parentSessionId }) => parentSessionId ?? [])).toEqual([idOf(name)])
})
