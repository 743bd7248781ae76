/** A server in a process of its own that says how much it holds, garbage aside. */
import { DEFAULT_TENANT, scope } from '@holdfast/protocol'
import type { Credential } from '@holdfast/server'
import { type Serving, serve, sqliteWithWriter } from '@holdfast/server/node'
import { messages, report } from './child.ts'

export interface AskedServer {
  url?: string
  /** Bytes of the heap that are in use. */
  held?: number
}

let serving: Serving | undefined
for await (const task of messages<{ file: string; planted: boolean } | 'held'>()) {
  if (task === 'held') report({ held: held() })
  else report({ url: await started(task) })
}
await serving?.close()

async function started({ file, planted }: { file: string; planted: boolean }): Promise<string> {
  const store = sqliteWithWriter(file)
  serving = await serve({ store, port: 0, signals: [], ...(planted && { authenticate: failing }) })
  return serving.url
}

/** The planted bug: it cannot deal with an escape in a path. */
function failing({ url }: Request): Credential {
  if (url.includes('%')) throw new TypeError('planted')
  return { tenantId: DEFAULT_TENANT, scopes: new Set(scope.options), actor: { kind: 'host' } }
}

function held(): number {
  ;(globalThis as { gc?: () => void }).gc?.()
  return process.memoryUsage().heapUsed
}
