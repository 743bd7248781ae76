/** A person chats: a real pseudo-terminal, the real program, a real file, and a model that says it is a script. */
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../testing/place.ts'
import { projectWith } from '../testing/project.ts'
import { ctrlC, ctrlD, openTerminal, type Session, shell } from '../testing/terminal.ts'

const folder = temporaryFolder()

const config = projectWith(`
import { defineAgent } from '@holdfast/agent'
import { scriptedModel } from '@holdfast/agent/testing'
import { defineConfig } from '@holdfast/cli'

const slow = process.env.SLOW === 'yes'
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, slow ? 40 : 0))
const script = () => (slow ? 'one more word, '.repeat(1_000) : 'All said.')

export default defineConfig({
  agents: [defineAgent({ id: 'talker', model: scriptedModel({ script, pause }) })],
})
`)

const family = projectWith(`
import { askQuestion, defineAgent, spawnChild } from '@holdfast/agent'
import { scriptedModel } from '@holdfast/agent/testing'
import { defineConfig } from '@holdfast/cli'

const calling = (name: string, input: object) => ({ parts: [{ type: 'tool_call' as const, name, input }] })
const then = (reply: object) => scriptedModel({ script: ({ results }) => results[0]?.output ?? reply })

export default defineConfig({
  agents: [
    defineAgent({
      id: 'parent',
      tools: [spawnChild({ agents: { child: 'asks' } })],
      model: then(calling('spawn_child', { agent: 'child', task: 'ask' })),
    }),
    defineAgent({ id: 'child', tools: [askQuestion], model: then(calling('ask_question', { question: 'Tea?' })) }),
  ],
})
`)

let stores = 0

function place(more: Record<string, string> = {}): Record<string, string> {
  const HOLDFAST_STORE = join(folder, `${stores++}.db`)
  return { HOLDFAST_STORE, HOME: folder, HOLDFAST_MODEL: 'offline-scripted', ...more }
}

function opened(args: readonly string[], env: Record<string, string>): Session {
  const terminal = openTerminal(args, { env })
  onTestFinished(() => terminal.kill())
  return terminal
}

function plain({ shown }: Session): string {
  return stripVTControlCharacters(shown)
}

test('a person says hello, asks the time, allows a tool, answers a question, and leaves', async () => {
  const env = place()
  const chat = opened(['chat'], env)
  await chat.shows(/offline-scripted \(HOLDFAST_MODEL\)/)
  await chat.shows(/you ›/)
  chat.type('hello\r')
  await chat.shows(/You wrote: hello[\s\S]*1 call[\s\S]*you ›/)
  chat.type('What time is it?\r')
  await chat.shows(/▸.*clock[\s\S]*The tool says: \w+, \d+ \w+ \d{4} at \d\d:\d\d:\d\d UTC[\s\S]*you ›/)
  expect(plain(chat)).not.toContain('May clock run')
  chat.type('What time is it? Ask me first.\r')
  await chat.shows(/May clock run with/)
  chat.type('y')
  await chat.shows(/askFirst: true[\s\S]*The tool says[\s\S]*you ›/)
  chat.type('Ask me: tea or coffee?\r')
  await chat.shows(/I ask\.[\s\S]*tea or coffee\?/)
  chat.type('tea\r')
  await chat.shows(/The tool says: tea[\s\S]*you ›/)
  chat.type(ctrlD)
  expect(await chat.ended).toBe(0)
  const [, id] = /To go on: holdfast chat (\S+)/.exec(plain(chat)) ?? []
  const { data } = JSON.parse((await shell(`holdfast show ${id} --json`, env)).out)
  expect(data[0].session).toMatchObject({ agentId: 'default', channel: 'cli', status: 'idle' })
})

test('no is an answer too; a question that is left open is asked again, and Ctrl-C and Ctrl-D leave it', async () => {
  const env = place()
  const chat = opened(['chat'], env)
  await chat.shows(/you ›/)
  chat.type('What time is it? Ask me first.\r')
  await chat.shows(/May clock run with/)
  chat.type('n')
  await chat.shows(/Not approved by the user[\s\S]*you ›/)
  chat.type('Ask me: tea?\r')
  await chat.shows(/I ask[\s\S]*◆[\s\S]*tea\?/)
  chat.type(ctrlD)
  expect(await chat.ended).toBe(0)
  const again = opened(['chat', 'last'], env)
  await again.shows(/Ctrl-D ends[\s\S]*tea\?/)
  again.type(ctrlC)
  expect(await again.ended).toBe(0)
  expect(plain(again)).toContain('To go on: holdfast chat')
  const last = opened(['chat', 'last'], env)
  await last.shows(/Ctrl-D ends[\s\S]*tea\?/)
  last.type('with milk\r')
  await last.shows(/The tool says: with milk[\s\S]*you ›/)
  last.type(ctrlC)
  expect(await last.ended).toBe(0)
})

test('Ctrl-C stops an answer and keeps what was said; then it ends the chat', async () => {
  const env = place({ SLOW: 'yes', HOLDFAST_CONFIG: config })
  const chat = opened(['chat'], env)
  await chat.shows(/scripted\/scripted \(.*holdfast\.config\.ts\)/)
  await chat.shows(/you ›/)
  chat.type('Talk.\r')
  await chat.shows(/one more word, one more/)
  chat.type(ctrlC)
  await chat.shows(/— stopped here[\s\S]*you ›/)
  chat.type('Talk again.\r')
  await chat.shows(/stopped here[\s\S]*one more word, one more/)
  chat.type(ctrlC)
  await chat.shows(/stopped here[\s\S]*stopped here[\s\S]*you ›/)
  chat.type(ctrlC)
  expect(await chat.ended).toBe(0)
  expect(plain(chat)).toContain('To go on: holdfast chat')
  const shown = JSON.parse((await shell('holdfast show last --json', env)).out).data
  const said = shown.filter(({ message }: { message?: { role: string } }) => message?.role === 'assistant')
  expect(said[0].message).toMatchObject({ finish: 'interrupted' })
  expect(said[0].message.parts[0].text).toMatch(/^one more word, one more/)
  expect((await shell('holdfast doctor', env)).out).toBe('Nothing wrong.\n')
})

test('a chat that is killed while a tool waits for its approval goes on in the next one', async () => {
  const env = place()
  const chat = opened(['chat'], env)
  await chat.shows(/you ›/)
  chat.type('What time is it? Ask me first.\r')
  await chat.shows(/May clock run with/)
  chat.kill()
  await chat.ended
  const next = opened(['chat', 'last'], env)
  await next.shows(/What time is it\?[\s\S]*I look at the clock[\s\S]*May clock run with/)
  next.type('y')
  await next.shows(/▸.*clock[\s\S]*askFirst: true[\s\S]*UTC[\s\S]*The tool says[\s\S]*you ›/)
  next.type(ctrlD)
  expect(await next.ended).toBe(0)
  expect((await shell('holdfast doctor', env)).out).toBe('Nothing wrong.\n')
})

test('a chat that is killed in the middle of an answer is taken over by the next one', async () => {
  const env = place({ SLOW: 'yes', HOLDFAST_CONFIG: config })
  const chat = opened(['chat'], env)
  await chat.shows(/you ›/)
  chat.type('Talk.\r')
  await chat.shows(/one more word, one more/)
  chat.kill()
  await chat.ended
  const next = opened(['chat', 'last'], { ...env, SLOW: 'no' })
  await next.shows(/was lost[\s\S]*stopped here[\s\S]*All said\.[\s\S]*you ›/)
  next.type(ctrlD)
  expect(await next.ended).toBe(0)
  expect((await shell('holdfast doctor', env)).out).toBe('Nothing wrong.\n')
})

test('a person answers what a child of the session asks, at once or in a later chat', async () => {
  const env = place({ HOLDFAST_CONFIG: family })
  const chat = opened(['chat', '--agent', 'parent'], env)
  await chat.shows(/you ›/)
  chat.type('Ask.\r')
  await chat.shows(/child of child[\s\S]*↳ child asks[\s\S]*Tea\?/)
  chat.type('with milk\r')
  await chat.shows(/child completed[\s\S]*with milk[\s\S]*2 calls[\s\S]*you ›/)
  chat.type('Ask again.\r')
  await chat.shows(/you ›[\s\S]*child asks[\s\S]*Tea\?[\s\S]*you ›[\s\S]*child asks[\s\S]*Tea\?/)
  chat.type(ctrlC)
  expect(await chat.ended).toBe(0)
  const again = opened(['chat', 'last'], env)
  await again.shows(/Ctrl-D ends[\s\S]*↳ child asks[\s\S]*Tea\?/)
  again.type(ctrlD)
  expect(await again.ended).toBe(0)
  const last = opened(['chat', 'last'], env)
  await last.shows(/Ctrl-D ends[\s\S]*↳ child asks[\s\S]*Tea\?/)
  last.type('black\r')
  await last.shows(/child completed[\s\S]*black[\s\S]*you ›/)
  last.type(ctrlD)
  expect(await last.ended).toBe(0)
  expect((await shell('holdfast doctor', env)).out).toBe('Nothing wrong.\n')
})
