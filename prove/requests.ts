/**
 * Whatever is asked is answered in time, and never with a failure of the server's own: random requests, right and wrong
 * ones, are made from the OpenAPI document that the server gives. What the server holds does not grow with them.
 *
 * `npm run prove:requests -- --requests 1000000 --seed 7`; `--planted` fails at escapes and must be caught.
 */
import { join } from 'node:path'
import { knobs } from './lib/args.ts'
import { askedAgentId } from './lib/asked-agent.ts'
import type { AskedServer } from './lib/asked-server.ts'
import { Child } from './lib/child.ts'
import { temporaryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { type Asked, type Document, Requests } from './lib/requests.ts'
import { summarize } from './lib/summary.ts'

const { requests, seed, planted } = knobs({ requests: 20_000, planted: false })
console.log(`requests: ${requests} requests, seed ${seed}${planted ? ', planted: escapes fail' : ''}`)

const callers = 16
const patienceMs = 10_000
/** Caches fill: only what is far beyond them grows. */
const mostGrown = 48 * 1024 * 1024
const random = new Random(seed)
const server = new Child<AskedServer>(new URL('./lib/asked-server.ts', import.meta.url), {
  NODE_OPTIONS: '--expose-gc',
})
server.send({ file: join(temporaryFolder(), 'holdfast.db'), planted: planted ? 'escapes' : '' })
const { url } = await server.require()
const document = (await (await fetch(`${url}/v1/openapi.json`)).json()) as Document
const made = new Requests(random, document, askedAgentId)
const faults = { failures: 0, hangs: 0, grown: 0 }
const counted = { requests: 0, done: 0, refused: 0, 'by the agent': 0 }
/** What the agent in the server is needed for. */
const ofAgents = /\/(turns|compact|context\/model)(\?|$)/

await send(Math.ceil(requests / 4))
const early = await held()
await send(requests - counted.requests)
const late = await held()
console.log(`held ${mebibytes(early)} MB after a quarter, ${mebibytes(late)} MB in the end`)
if (late - early > mostGrown) faults.grown += 1
server.kill()
summarize({ seed, counted, faults })

async function send(count: number): Promise<void> {
  const until = counted.requests + count
  const caller = async (): Promise<void> => {
    while (counted.requests < until) {
      counted.requests += 1
      await ask(made.next())
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

async function ask(asked: Asked): Promise<void> {
  const { method, path, headers, body } = asked
  try {
    const signal = AbortSignal.timeout(patienceMs)
    const response = await fetch(`${url}${path}`, {
      method,
      headers,
      signal,
      ...(body !== undefined && { body }),
    })
    const text = ofAgents.test(path) ? await firstBytes(response) : await response.text()
    if (response.status >= 500) blame('failures', asked, `${response.status} ${text}`)
    if (!response.ok) counted.refused += 1
    else counted.done += 1
    if (response.ok && ofAgents.test(path)) counted['by the agent'] += 1
    if (response.ok) made.learn(asked, text)
  } catch (error) {
    blame('hangs', asked, String(error))
  }
}

/** A turn may wait behind another for long: who hears that it is waited for leaves. */
async function firstBytes({ body }: Response): Promise<string> {
  const reader = body?.getReader()
  const first = await reader?.read()
  await reader?.cancel()
  return new TextDecoder().decode(first?.value)
}

function blame(kind: 'failures' | 'hangs', { method, path, body }: Asked, what: string): void {
  faults[kind] += 1
  if (faults[kind] <= 10)
    console.error(`${kind}: ${method} ${path} ${body?.slice(0, 300)}: ${what.slice(0, 300)}`)
}

async function held(): Promise<number> {
  server.send('held')
  return (await server.require()).held ?? 0
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}
