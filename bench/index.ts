/** `npm run bench -- <workload>`: each workload prints a table of medians beside a baseline measured in the same run. */
import { append } from './append.ts'
import { tail } from './tail.ts'

const workloads: Record<string, () => Promise<void>> = { append, tail }

const name = process.argv[2] ?? ''
const workload = Object.hasOwn(workloads, name) ? workloads[name] : undefined
if (!workload) {
  console.error(`usage: npm run bench -- <workload>\nworkloads: ${Object.keys(workloads).join(', ')}`)
  process.exit(2)
}
await workload()
