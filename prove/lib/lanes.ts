/** Places of the zombie proof, which say whether somebody stands still in the middle of a transaction there. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Client } from 'pg'
import { type Postgres, startPostgres } from '../../tools/postgres/start.ts'
import { temporaryFolder } from './place.ts'
import type { Place } from './stores.ts'
import { asAdmin, urlOf } from './troubles.ts'

export interface Lane {
  place: Place
  /** While one of its workers is stopped. */
  isLocked(): Promise<boolean>
}

export interface Lanes {
  lane(n: number): Promise<Lane>
  remove(): Promise<void>
}

/** `sqlite`: each lane is a file. `postgres`: each is a schema, with a role of its own. */
export async function lanesOn(name: string): Promise<Lanes> {
  if (name === 'sqlite') return lanesOfFiles()
  if (name === 'postgres') return lanesOfServer(await startPostgres({ durable: false }))
  throw new Error(`--store is one of sqlite, postgres, not ${name}`)
}

function lanesOfFiles(): Lanes {
  const folder = temporaryFolder()
  return {
    async lane(n) {
      const file = join(folder, `lane-${n}.db`)
      return { place: { file }, isLocked: async () => isFileLocked(file) }
    },
    async remove() {},
  }
}

export function isFileLocked(file: string): boolean {
  const db = new DatabaseSync(file, { timeout: 0 })
  try {
    db.exec('BEGIN IMMEDIATE; ROLLBACK')
    return false
  } catch {
    return true
  } finally {
    db.close()
  }
}

/** Statements that were sent are carried out, whoever sleeps; what waits for the next one is a transaction that does not end. */
const OPEN = `
  SELECT count(*) FILTER (WHERE state = 'active') AS active, count(*) FILTER (WHERE state LIKE 'idle in%') AS idle
  FROM pg_stat_activity WHERE usename = $1`

function lanesOfServer(server: Postgres): Lanes {
  return {
    async lane(n) {
      const role = `lane${n}`
      await asAdmin(server, (admin) => admin.query(`CREATE ROLE ${role} LOGIN`))
      return {
        place: { url: urlOf(server.url, role), schema: role, migrationUrl: server.url },
        isLocked: () => asAdmin(server, (admin) => isRoleWaitedFor(admin, role)),
      }
    },
    remove: () => server.remove(),
  }
}

async function isRoleWaitedFor(admin: Client, role: string): Promise<boolean> {
  for (;;) {
    const { rows } = await admin.query<{ active: string; idle: string }>(OPEN, [role])
    if (rows[0]?.active === '0') return rows[0].idle !== '0'
  }
}
