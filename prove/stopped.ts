/**
 * A client that is stopped (SIGSTOP) amid its streams does not make the server grow: what it does not take is not kept for
 * it, however much is written meanwhile.
 *
 * `npm run prove:stopped -- --streams 200 --megabytes 200`; `--planted` never hears that a reader does not keep up and must fail.
 */
import { join } from 'node:path'
import { createClient } from '@holdfast/client'
import { knobs } from './lib/args.ts'
import type { AskedServer } from './lib/asked-server.ts'
import { Child } from './lib/child.ts'
import { temporaryFolder } from './lib/place.ts'
import type { ReadTask } from './lib/stream-reader.ts'
import { summarize } from './lib/summary.ts'

const { streams, megabytes, seed, planted } = knobs({ streams: 20, megabytes: 40, planted: false })
console.log(`stopped: ${streams} streams, ${megabytes} MB${planted ? ', planted: buffers without end' : ''}`)

const messageBytes = 64 * 1024
/** For each stream what is made ahead, as text, as bytes and in the socket; and what the tail keeps of a session for all. */
const allowedBytes = streams * 4 * messageBytes + 16 * 1024 * 1024
const server = new Child<AskedServer>(new URL('./lib/asked-server.ts', import.meta.url), {
  NODE_OPTIONS: '--expose-gc',
})
server.send({ file: join(temporaryFolder(), 'holdfast.db'), planted: planted ? 'endless' : '' })
const { url = '' } = await server.require()
const client = createClient({ url })
const { id } = await client.sessions.create({ agentId: 'prover' })
const reader = new Child<{ reading: true }>(new URL('./lib/stream-reader.ts', import.meta.url))
reader.send({ url: `${url}/v1/sessions/${id}/events`, streams } satisfies ReadTask)
await reader.require()
const before = await held()
reader.stop()
const messages = (megabytes * 2 ** 20) / messageBytes
for (let n = 0; n < messages; n++) {
  await client.sessions.append(id, {
    role: 'user',
    parts: [{ type: 'text', text: 'x'.repeat(messageBytes) }],
  })
}
const grown = (await held()) - before
reader.kill()
server.kill()
const counted = { streams, messages, 'MB grown': Math.max(0, Math.round(grown / 2 ** 20)) }
summarize({ seed, counted, faults: { grown: grown > allowedBytes ? 1 : 0 } })

async function held(): Promise<number> {
  server.send('held')
  return (await server.require()).held ?? 0
}
