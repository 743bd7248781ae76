/** The program whose writes are recorded: a few lives of one file, with checkpoints in and between them. */
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openHoldfast, type StoreFactory } from '@holdfast/core'
import { type Durability, sqlite } from '@holdfast/core/sqlite'
import { driverWith } from './driver.ts'
import { Workload } from './workload.ts'

const [folder = '', durability = 'full', nth = ''] = process.argv.slice(2)
const file = join(folder, 'holdfast.db')
const reports = openSync(join(folder, 'reports'), 'a')
const report = (value: unknown) => writeSync(reports, `${JSON.stringify(value)}\n`)

for (let life = 1; life <= 3; life++) {
  const clock = () => Date.now() + life * 120_000
  const holdfast = await openHoldfast({ store: place(), clock })
  const work = { holdfast, report, sessions: ['s0', 's1'], running: ['r0'], rounds: 1 }
  await new Workload({ ...work, writer: Number(`${nth}${2 * life}`) }).run()
  checkpoint()
  await new Workload({ ...work, writer: Number(`${nth}${2 * life + 1}`) }).run()
  if (life < 3) await holdfast.close()
}
process.kill(process.pid, 'SIGKILL')

/** `off` is no durability of the store: it is told that it got what it asked for. */
function place(): StoreFactory {
  if (durability !== 'off') return sqlite(file, { durability: durability as Durability })
  const driver = driverWith({
    exec: (sql, exec) => exec(sql.replace('synchronous = FULL', 'synchronous = OFF')),
    statement: (sql, call) => (sql === 'PRAGMA synchronous' ? [2] : call()),
  })
  return sqlite(file, { driver })
}

/** What the engine does by itself after some thousand pages: the journal is copied into the file and begins anew. */
function checkpoint(): void {
  const db = new DatabaseSync(file)
  db.exec(`PRAGMA synchronous = ${durability}; PRAGMA wal_checkpoint(RESTART)`)
  db.close()
}
