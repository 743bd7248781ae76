/** What befalls a Postgres under load. Each ends when the server may be used again, and tells when that was begun. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { withClient } from '../../tools/postgres/client.ts'
import { processesOf, signalAll } from '../../tools/postgres/processes.ts'
import type { Postgres } from '../../tools/postgres/start.ts'
import type { Link } from './link.ts'
import type { Random } from './random.ts'
import { calm, storm } from './weather.ts'

export interface Stage {
  server: Postgres
  /** Between the writers and the server. */
  link: Link
  random: Random
}

/** Gives the time from which the writers are to be served again. */
type Trouble = (stage: Stage) => Promise<number>

export const troubles: Readonly<Record<string, Trouble>> = { stop, terminate, freeze, crowd, network }

/** The server crashes, and comes back at once or after a while. */
async function stop({ server, random }: Stage): Promise<number> {
  await server.stop('immediate')
  if (random.chance(0.3)) await sleep(500 + random.below(1_500))
  const begunMs = Date.now()
  await server.start()
  return begunMs
}

const TERMINATE = `
  SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'holdfast' AND random() < $1`

/** Some connections, or all, are cut by the server. */
async function terminate({ server, random }: Stage): Promise<number> {
  await asAdmin(server, (admin) => admin.query(TERMINATE, [random.pick([0.3, 0.7, 1])]))
  return Date.now()
}

const frozenMs = 2_000

/** The server, or half of its processes with the locks they hold, does nothing for a while. */
async function freeze({ server, random }: Stage): Promise<number> {
  const all = processesOf(server.pid as number)
  const frozen = random.chance(0.5) ? all : all.filter(() => random.chance(0.5))
  signalAll(frozen, 'SIGSTOP')
  await sleep(frozenMs)
  signalAll(frozen, 'SIGCONT')
  return Date.now()
}

/** Somebody else takes every connection that there is, those of the writers too, and keeps them for a while. */
async function crowd({ server, random }: Stage): Promise<number> {
  const taken: pg.Client[] = []
  for (let rush = 0; rush < 3; rush++) {
    while (await takeOne(server, taken)) {}
    await asAdmin(server, (admin) => admin.query(TERMINATE, [1]))
  }
  await sleep(500 + random.below(2_000))
  await Promise.all(taken.map((client) => client.end()))
  return Date.now()
}

/** False when there is none left. */
async function takeOne({ url }: Postgres, taken: pg.Client[]): Promise<boolean> {
  const client = new pg.Client({ connectionString: urlOf(url, 'crowd') })
  client.on('error', () => {})
  try {
    await client.connect()
    taken.push(client)
    return true
  } catch (error) {
    if ((error as { code?: string }).code === '53300') return false
    throw error
  }
}

const stormMs = 3_000

/** For a while what passes is held up, cut off, or ended in one direction, and the server never learns why. */
async function network({ link, random }: Stage): Promise<number> {
  link.treat(storm(random))
  await sleep(stormMs)
  link.treat(calm)
  return Date.now()
}

export function urlOf(url: string, role: string): string {
  return url.replace('//postgres@', `//${role}@`)
}

export function asAdmin<T>({ url }: Postgres, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  return withClient(url, work)
}
