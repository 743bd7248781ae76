/** The process that is killed: told where to write, it writes until it is. */
import { flushCompileCache } from 'node:module'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { messages, report } from './child.ts'
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
  /** Absent: until it is killed. */
  rounds?: number
}

// Killed processes leave no compile cache; with one, the next writer starts in half the time.
flushCompileCache()
report({ ready: true })
for await (const { file, aheadMs, again, planted, ...work } of messages<Task>()) {
  const holdfast = await openHoldfast({ store: sqlite(file), clock: () => Date.now() + aheadMs })
  await new Workload({ holdfast, report, acksEarly: planted, ...work }).run(again)
  await holdfast.close()
  break
}
