/** A process that writes to a server which goes away and comes back, until it is told to stop. */
import { openHoldfast, type StoreFactory } from '@holdfast/core'
import { messages, report } from './child.ts'
import { credulous } from './credulous.ts'
import { Following } from './following.ts'
import { type ServerPlace, storeAt } from './stores.ts'
import { type Again, Workload } from './workload.ts'

export interface ServerTask {
  place: ServerPlace
  writer: number
  sessions: string[]
  running: string[]
  again: Again[]
  /** Absent: until it is told to stop. */
  rounds?: number
  planted: boolean
}

let isStopped = false
let work: Promise<void> | undefined
for await (const task of messages<ServerTask | 'stop'>()) {
  if (task === 'stop') break
  work = write(task)
}
isStopped = true
await work

async function write({ place, again, planted, ...task }: ServerTask): Promise<void> {
  const store: StoreFactory = planted ? credulous(storeAt(place)) : storeAt(place)
  const holdfast = await openHoldfast({ store })
  const workload = new Workload({ holdfast, report, outlives: true, isStopped: () => isStopped, ...task })
  await workload.open()
  const following = new Following(holdfast, task.sessions[0] as string)
  await workload.run(again)
  await following.finish()
  await holdfast.close()
}
