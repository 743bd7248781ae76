/** The process that is killed while it forgets. */
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { messages, report } from './child.ts'
import { type Forgetting, forget } from './forgetting.ts'

export interface EraserTask {
  file: string
  nowMs: number
  all: Forgetting[]
}

report({ ready: true })
for await (const { file, nowMs, all } of messages<EraserTask>()) {
  const holdfast = await openHoldfast({ store: sqlite(file, { durability: 'normal' }), clock: () => nowMs })
  for (const one of all) {
    report({ begun: one.do })
    await forget(holdfast, one)
  }
  await holdfast.scrub()
  report({ done: true })
  await holdfast.close()
  break
}
