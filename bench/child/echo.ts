/** What a bare server does: the body is parsed and written again. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Place } from '../http/connection.ts'
import { help } from '../lib/helper.ts'

await help<unknown, Place, undefined, undefined>(async () => {
  // Its connections rest while the other contender has its round.
  const listener = createServer({ noDelay: true, keepAliveTimeout: 0 }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const text = JSON.stringify(JSON.parse(Buffer.concat(chunks).toString()))
      response.writeHead(201, { 'content-type': 'application/json' }).end(text)
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  return {
    ready: { host: '127.0.0.1', port },
    answer: () => undefined,
    end: () => {
      listener.close()
      listener.closeAllConnections()
    },
  }
})
