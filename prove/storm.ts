/**
 * A change that is sent many times at once under one idempotency key, while the server restarts in between, has one effect
 * and equal answers. Each kind of change is sent to a session of its own; a twin session has it once, and both must end alike.
 *
 * `npm run prove:storm -- --rounds 20 --copies 500 --seed 7`; `--planted` sends every copy under its own key and must fail.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@holdfast/client'
import { knobs } from './lib/args.ts'
import { type Change, changes } from './lib/changes.ts'
import { temporaryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { Restarting } from './lib/restarting.ts'
import { summarize } from './lib/summary.ts'

const { rounds, copies, seed, planted } = knobs({ rounds: 1, copies: 50, planted: false })
console.log(
  `storm: ${rounds} rounds, ${copies} copies, seed ${seed}${planted ? ', planted: no shared key' : ''}`,
)

const random = new Random(seed)
const server = await Restarting.start(join(temporaryFolder(), 'holdfast.db'))
const client = createClient({ url: server.url, retries: 10_000, sleep: () => sleep(10) })
const faults = { 'more effects': 0, 'other answers': 0, refused: 0 }
let sent = 0
for (let round = 0; round < rounds; round++) for (const change of changes) await storm(change)
await server.close()
summarize({ seed, counted: { changes: rounds * changes.length, sent }, faults })

async function storm({ name, prepare, send }: Change): Promise<void> {
  const [stormed, twin] = await Promise.all([prepared(prepare), prepared(prepare)])
  const key = randomUUID()
  const some = (count: number) => {
    const copy = () => send(client, stormed, { key: planted ? randomUUID() : key })
    return Promise.allSettled(Array.from({ length: count }, copy))
  }
  const before = random.below(copies)
  const first = some(before)
  await sleep(random.below(5))
  const restarting = server.restart()
  const rest = some(copies - before)
  await restarting
  sent += copies
  const settled = [...(await first), ...(await rest)]
  await send(client, twin, { key: randomUUID() })
  const refused = settled.filter(({ status }) => status === 'rejected')
  const texts = settled.flatMap((one) => (one.status === 'fulfilled' ? [JSON.stringify(one.value)] : []))
  if (new Set(texts).size > 1) blame('other answers', name, texts)
  if (refused.length > 0)
    blame(
      'refused',
      name,
      refused.map((one) => String('reason' in one && one.reason)),
    )
  const [ours, theirs] = [await types(stormed), await types(twin)]
  if (ours !== theirs) blame('more effects', name, [ours, theirs])
}

async function prepared(prepare: Change['prepare']): Promise<string> {
  const { id } = await client.sessions.create({ agentId: 'prover' })
  await prepare(client, id)
  return id
}

/** What is in its log, and below it in its tree. */
async function types(session: string): Promise<string> {
  const { data } = await client.sessions.events(session, { limit: 200 })
  const forks = await client.sessions.list({ agentId: `fork of ${session}` })
  return `${data.map(({ type }) => type).join(' ')}; ${forks.data.length} forks`
}

function blame(kind: keyof typeof faults, name: string, what: readonly string[]): void {
  faults[kind] += 1
  console.error(`${kind}: ${name}: ${[...new Set(what)].slice(0, 3).join(' | ')}`)
}
