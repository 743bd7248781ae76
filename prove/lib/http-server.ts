/** The server as a process of its own: told where to serve from, it says where it listens, until it is killed. */
import { sqlite } from '@holdfast/core/sqlite'
import { serve } from '@holdfast/server/node'
import { messages, report } from './child.ts'

export interface ServeTask {
  file: string
  port: number
}

report({ loaded: true })
for await (const { file, port } of messages<ServeTask>()) {
  const { url } = await serve({ store: sqlite(file, { search: false, writer: 'thread' }), port })
  report({ url })
}
