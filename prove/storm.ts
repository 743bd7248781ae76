/**
 * A change that is sent many times at once under one idempotency key, while the server restarts in between, has one effect
 * and equal answers, and the key stands for no other request. Every route that changes something is sent to a session of its
 * own; a twin session has it once, and both must end alike.
 *
 * `npm run prove:storm -- --rounds 20 --copies 500 --seed 7`; `--planted` sends every copy under its own key and must fail.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sqlite } from '@holdfast/core/sqlite'
import { scope } from '@holdfast/protocol'
import { knobs } from './lib/args.ts'
import { type Change, changes, type Ids } from './lib/changes.ts'
import { temporaryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { Restarting } from './lib/restarting.ts'
import { summarize } from './lib/summary.ts'
import { Web } from './lib/web.ts'

const { rounds, copies, seed, planted } = knobs({ rounds: 1, copies: 50, planted: false })
console.log(
  `storm: ${rounds} rounds, ${copies} copies, seed ${seed}${planted ? ', planted: no shared key' : ''}`,
)

const random = new Random(seed)
const server = await Restarting.start(
  sqlite(join(temporaryFolder(), 'holdfast.db'), { search: false }),
  randomUUID().repeat(2),
)
const made = await server.server.keys?.create(server.holdfast.tenantId, {
  name: 'prover',
  scopes: scope.options,
})
const web = new Web(server.url, made?.key ?? '')
const faults = { 'more effects': 0, 'other answers': 0, refused: 0, 'taken for another': 0, untried: 0 }
let sent = 0
const routes = server.server.routes.filter(({ method, once }) => method !== 'GET' && once !== 'harmless')
for (let round = 0; round < rounds; round++) {
  for (const { method, path } of routes) {
    const name = `${method} ${path}`
    const change = changes[name]
    if (change) await storm(name, method, path, change)
    else blame('untried', name, [])
  }
}
await server.close()
summarize({ seed, counted: { changes: rounds * routes.length, sent }, faults })

/** Where a change goes, and what it is. */
interface Target {
  session: string
  ids: Ids
  path: string
}

async function storm(name: string, method: string, path: string, change: Change): Promise<void> {
  const [stormed, twin] = [await prepared(path, change), await prepared(path, change)]
  const key = randomUUID()
  const send = ({ path, session, ids }: Target, under: string, body = change.body) =>
    web.send(method, path, under, body?.(session, ids))
  const some = (count: number) =>
    Promise.all(Array.from({ length: count }, () => send(stormed, planted ? randomUUID() : key)))
  const before = random.below(copies)
  const first = some(before)
  await sleep(random.below(5))
  const restarting = server.restart()
  const rest = some(copies - before)
  await restarting
  sent += copies
  const answers = [...(await first), ...(await rest)]
  await send(twin, randomUUID())
  const texts = answers.map(({ status, text }) => `${status} ${text}`)
  const refused = texts.filter((text) => !text.startsWith('2'))
  if (refused.length > 0) blame('refused', name, refused)
  if (new Set(texts).size > 1) blame('other answers', name, texts)
  if (!planted && refused.length === 0 && answers.filter(({ isReplayed }) => !isReplayed).length > 1)
    blame('more effects', name, ['more than one answer is not marked as given before'])
  const [ours, theirs] = [await worldOf(stormed), await worldOf(twin)]
  if (ours !== theirs) blame('more effects', name, [ours, theirs])
  if (planted || !change.other) return
  const other = await send(stormed, key, change.other)
  if (!other.text.includes('"key_conflict"')) blame('taken for another', name, [other.text])
}

async function prepared(path: string, { prepare, query = '', agentId = 'prover' }: Change): Promise<Target> {
  const { id } = (await web.change('POST', '/v1/sessions', { agentId })) as { id: string }
  const ids = { sessionId: id, ...(await prepare?.(web, id)) } as Ids
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(ids[name] ?? ''))
  return { session: id, ids, path: filled + query }
}

/** All that a change may have touched, without what differs between twins. */
async function worldOf({ session, ids }: Target): Promise<string> {
  const kinds = ['agents', 'personas', 'seeds', 'conversations', 'participants', 'price-books']
  const parts = [
    (await list(`/v1/sessions/${session}/events?limit=200`)).map((event) => event.type),
    (await list(`/v1/sessions/again-${session}/events?limit=200`)).map((event) => event.type),
    (await list(`/v1/sessions?agentId=${encodeURIComponent(`of ${session}`)}`)).length,
    (await list('/v1/keys?limit=1000')).filter((key) => key.name === session && !key.revokedAt).length,
    await Promise.all(kinds.map((kind) => web.get(`/v1/${kind}/${session}`))),
  ]
  return JSON.stringify(parts)
    .replaceAll(session, 'ID')
    .replaceAll(ids.userId ?? 'ID', 'USER')
    .replaceAll(/"requestId":"[^"]*"/g, '')
}

async function list(path: string): Promise<Record<string, unknown>[]> {
  const { data = [] } = (await web.get(path)) as { data?: Record<string, unknown>[] }
  return data
}

function blame(kind: keyof typeof faults, name: string, what: readonly string[]): void {
  faults[kind] += 1
  console.error(`${kind}: ${name}: ${[...new Set(what)].slice(0, 3).join(' | ').slice(0, 900)}`)
}
