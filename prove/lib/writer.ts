/** The process that is killed, or kills itself at a named point: told where to write, it writes until it dies. */
import { type Holdfast, openHoldfast, type Store } from '@holdfast/core'
import { type SqliteOptions, sqlite } from '@holdfast/core/sqlite'
import { messages, report } from './child.ts'
import { dyingAt, type Point } from './points.ts'
import { type Again, Workload } from './workload.ts'

export interface Task {
  file: string
  writer: number
  sessions: string[]
  running: string[]
  /** The clock is this much ahead, so that the leases of earlier writers have run out. */
  aheadMs: number
  again: Again[]
  planted: boolean
  compacts?: boolean
  /** Where it kills itself, and at which time that it comes there. */
  death?: { point: Point; nth: number }
  /** Writes on a thread of its own. */
  threaded?: boolean
  /** Absent: until it is killed. */
  rounds?: number
}

report({ ready: true })
for await (const { file, aheadMs, again, planted, death, threaded, ...work } of messages<Task>()) {
  const clock = () => Date.now() + aheadMs
  const options: SqliteOptions = threaded ? { writer: 'thread' } : {}
  if (death) options.driver = dyingAt(death.point, death.nth)
  const store = await sqlite(file, options).open({ clock })
  const holdfast = await openHoldfast({ store, clock })
  if (death?.point === 'amid a scrub') await scrub(store, holdfast, `gone${work.writer}`)
  await new Workload({ holdfast, report, acksEarly: planted, ...work }).run(again)
  await holdfast.close()
  await store.close()
  break
}

/** It rewrites the file only when something was deleted. */
async function scrub(store: Store, { sessions }: Holdfast, id: string): Promise<void> {
  await sessions.create({ id, agentId: 'prover' })
  await sessions.delete(id)
  await store.scrub()
}
