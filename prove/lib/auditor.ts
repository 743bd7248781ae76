/** The process that never writes: for each question it opens the file anew and tells what it found. */
import { type Audited, auditFile, type Findings } from './audit.ts'
import { messages, report } from './child.ts'

for await (const audited of messages<Audited>()) {
  report((await auditFile(audited)) satisfies Findings)
}
