/** The process that never writes: for each question it opens the store anew and tells what it found. */
import { type Audited, audit, type Findings } from './audit.ts'
import { messages, report } from './child.ts'

for await (const audited of messages<Audited>()) {
  report((await audit(audited)) satisfies Findings)
}
