/** Where a session is written and where it is followed: one server for both, or two of them on one Postgres. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@holdfast/client'
import type { StoreFactory } from '@holdfast/core'
import { postgres } from '@holdfast/core/postgres'
import pg from 'pg'
import { startPostgres } from '../../tools/postgres/start.ts'
import { Restarting } from './restarting.ts'
import { asAdmin, urlOf } from './troubles.ts'

export interface Servers {
  written: Restarting
  followed: Restarting
  /** Until an event that is written on one is seen on the other; absent where they are one. */
  delays?(): Promise<Delays>
  close(): Promise<void>
}

/** Medians, in milliseconds. */
interface Delays {
  hinted: number
  /** When no hint ever comes. */
  unhinted: number
}

export async function oneServer(store: StoreFactory): Promise<Servers> {
  const server = await Restarting.start(store)
  return { written: server, followed: server, close: () => server.close() }
}

/** Each server has its own connections and knows nothing of the other. A crash of Postgres is not their matter. */
export async function twoServers(): Promise<Servers> {
  const server = await startPostgres({ durable: false })
  await asAdmin(server, async (admin) => {
    for (const sql of muteRole) await admin.query(sql)
  })
  const storeOf = (url: string) =>
    postgres(url, { driver: pg, migrationUrl: server.url, search: false, connections: 4 })
  const plain = storeOf(urlOf(server.url, 'plain'))
  const [written, followed] = [await Restarting.start(plain), await Restarting.start(plain)]
  return {
    written,
    followed,
    async delays() {
      const mute = await Restarting.start(storeOf(urlOf(server.url, 'mute')))
      const hinted = await medianDelay(written, followed)
      const unhinted = await medianDelay(mute, followed)
      await mute.close()
      return { hinted, unhinted }
    },
    async close() {
      await written.close()
      await followed.close()
      await server.remove()
    },
  }
}

/** This role finds another function before the server's own: what it writes is told to nobody. */
const muteRole = [
  'CREATE ROLE plain LOGIN',
  'CREATE ROLE mute LOGIN',
  'CREATE SCHEMA mute',
  'GRANT USAGE ON SCHEMA mute TO PUBLIC',
  "CREATE FUNCTION mute.pg_notify(text, text) RETURNS void LANGUAGE sql AS 'SELECT'",
  'ALTER ROLE mute SET search_path = mute, pg_catalog',
]

const appends = 40

/** From the ack of each append; what is seen before it is not late at all. */
async function medianDelay(written: Restarting, followed: Restarting): Promise<number> {
  const { id } = await written.holdfast.sessions.create({ agentId: 'prover' })
  const acked: number[] = []
  const seen = seenAt(followed.url, id)
  await sleep(1_000)
  for (let n = 0; n < appends; n++) {
    const text = `message ${n}`
    await written.holdfast.sessions.at(id).append({ role: 'user', parts: [{ type: 'text', text }] })
    acked.push(performance.now())
    await sleep(40)
  }
  const delays = (await seen).map((at, n) => Math.max(0, at - (acked[n] as number)))
  return delays.toSorted((a, b) => a - b)[appends >> 1] as number
}

/** When each message came to a follower. */
async function seenAt(url: string, sessionId: string): Promise<number[]> {
  const seen: number[] = []
  const ended = new AbortController()
  for await (const item of createClient({ url }).sessions.follow(sessionId, { signal: ended.signal })) {
    if (item.type === 'event' && item.event.type === 'message.appended') seen.push(performance.now())
    if (seen.length === appends) ended.abort()
  }
  return seen
}
