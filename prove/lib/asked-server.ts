/** A server in a process of its own that says how much it holds, garbage aside. */
import { ServerResponse } from 'node:http'
import { hostAgents } from '@holdfast/agent'
import { sqlite } from '@holdfast/core/sqlite'
import { DEFAULT_TENANT, scope } from '@holdfast/protocol'
import type { Credential } from '@holdfast/server'
import { type Serving, serve } from '@holdfast/server/node'
import { askedAgent } from './asked-agent.ts'
import { messages, report } from './child.ts'

export interface AskedServer {
  url?: string
  /** Bytes in use, of the heap and beside it. */
  held?: number
}

interface Task {
  file: string
  planted: 'escapes' | 'endless' | ''
}

let serving: Serving | undefined
for await (const task of messages<Task | 'held'>()) {
  if (task === 'held') report({ held: held() })
  else report({ url: await started(task) })
}
await serving?.close()

async function started({ file, planted }: Task): Promise<string> {
  if (planted === 'endless') buffersWithoutEnd()
  const store = sqlite(file)
  serving = await serve({
    store,
    port: 0,
    signals: [],
    agents: (holdfast) => hostAgents(holdfast, { agents: [askedAgent()], pollMs: 20 }),
    heartbeatMs: 1_000,
    ...(planted === 'escapes' && { authenticate: failing }),
  })
  return serving.url
}

/** A planted bug: it cannot deal with an escape in a path. */
function failing({ url }: Request): Credential {
  if (url.includes('%')) throw new TypeError('planted')
  return { tenantId: DEFAULT_TENANT, scopes: new Set(scope.options), actor: { kind: 'host' } }
}

/** A planted bug: nobody hears that a reader does not keep up. */
function buffersWithoutEnd(): void {
  const { write } = ServerResponse.prototype
  ServerResponse.prototype.write = function (...args: unknown[]): boolean {
    write.apply(this, args as never)
    return true
  }
}

function held(): number {
  ;(globalThis as { gc?: () => void }).gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
