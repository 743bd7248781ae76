/** Follows a session over many connections at once, until it is stopped or killed. */
import { messages, report } from './child.ts'

export interface ReadTask {
  url: string
  streams: number
}

for await (const { url, streams } of messages<ReadTask>()) {
  for (let n = 0; n < streams; n++) {
    const { body } = await fetch(url, { headers: { accept: 'text/event-stream' } })
    void drain(body as ReadableStream<Uint8Array>)
  }
  report({ reading: true })
}

async function drain(body: ReadableStream<Uint8Array>): Promise<void> {
  for await (const _ of body);
}
