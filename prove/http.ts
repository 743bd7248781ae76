/**
 * A server that is killed at any moment under load loses nothing that it answered with success, and does nothing twice:
 * clients append with the retries that they come with, while one server after another is killed on one file and port.
 *
 * `npm run prove:http -- --cycles 1000 --seed 7`; `--planted` gives every try of a request a key of its own and must fail.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient, type HoldfastClient } from '@holdfast/client'
import { isHoldfastError } from '@holdfast/protocol'
import { knobs } from './lib/args.ts'
import { Child } from './lib/child.ts'
import type { ServeTask } from './lib/http-server.ts'
import { temporaryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { summarize } from './lib/summary.ts'

const { cycles, seed, planted } = knobs({ cycles: 100, planted: false })
console.log(`http: ${cycles} cycles, seed ${seed}${planted ? ', planted: each try has its own key' : ''}`)

const writers = 16
const retryMs = 10
const mostLivedMs = 200
const random = new Random(seed)
const file = join(temporaryFolder(), 'holdfast.db')
const faults = { lost: 0, doubled: 0, moved: 0, wrong: 0 }
/** By its words: the seq that was answered. */
const answered = new Map<string, number>()
let isOver = false

type Server = Child<{ url: string }>
let warm = newServer()
let server = await served(0)
const { url } = server
const port = Number(new URL(url).port)
const client = clientOf(url)
const sessions: string[] = []
while (sessions.length < writers / 2) sessions.push((await client.sessions.create({ agentId: 'prover' })).id)
const writing = Array.from({ length: writers }, (_, writer) => write(writer))
for (let cycle = 0; cycle < cycles; cycle++) {
  await sleep(random.below(mostLivedMs))
  server.child.kill()
  await server.child.end()
  server = await served(port)
}
isOver = true
const unanswered = (await Promise.all(writing)).flat()
await judge()
server.child.kill()
warm.kill()
summarize({ seed, counted: { cycles, answered: answered.size, unanswered: unanswered.length }, faults })

/** Started ahead of its turn: it loads while the one before it serves. */
function newServer(): Server {
  return new Child(new URL('./lib/http-server.ts', import.meta.url))
}

async function served(port: number): Promise<{ child: Server; url: string }> {
  const child = warm
  warm = newServer()
  await child.require()
  child.send({ file, port } satisfies ServeTask)
  const { url } = await child.require()
  return { child, url }
}

function clientOf(url: string): HoldfastClient {
  const retries = planted ? 0 : 10_000
  return createClient({ url, retries, sleep: () => sleep(retryMs) })
}

/** Gives the words that it never had an answer to. */
async function write(writer: number): Promise<string[]> {
  const left: string[] = []
  for (let n = 0; !isOver; n++) {
    const words = `writer ${writer} wrote ${n}.`
    const seq = await append(sessions[writer % sessions.length] as string, words)
    if (seq === undefined) left.push(words)
    else answered.set(words, seq)
  }
  return left
}

async function append(session: string, words: string): Promise<number | undefined> {
  for (;;) {
    try {
      const message = { role: 'user' as const, parts: [{ type: 'text' as const, text: words }] }
      const { messages } = await client.sessions.append(session, message)
      return messages[0]?.seq
    } catch (error) {
      if (!planted || isOver) {
        blame('wrong', `${words} ${isHoldfastError(error) ? error.code : error}`)
        return undefined
      }
      await sleep(retryMs)
    }
  }
}

/** What the log says of each. */
async function judge(): Promise<void> {
  const found = new Map<string, number[]>()
  for (const session of sessions) {
    let after = '0'
    for (;;) {
      const { data, next } = await client.sessions.events(session, { after, limit: 200 })
      for (const event of data) {
        const words = JSON.stringify(event).match(/writer \d+ wrote \d+\./)?.[0]
        if (words !== undefined) found.set(words, [...(found.get(words) ?? []), event.seq])
      }
      if (next === null) break
      after = next
    }
  }
  for (const [words, seq] of answered) {
    const seqs = found.get(words)
    if (seqs === undefined) blame('lost', words)
    else if (!seqs.includes(seq)) blame('moved', `${words} was answered as ${seq} and is ${seqs}`)
  }
  for (const [words, seqs] of found) if (seqs.length > 1) blame('doubled', `${words} ${seqs}`)
}

function blame(kind: keyof typeof faults, what: string): void {
  faults[kind] += 1
  if (faults[kind] <= 10) console.error(`${kind}: ${what}`)
}
