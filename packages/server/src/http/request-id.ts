/** Names of requests: what the caller gave, if it can stand in a log line, else one of ours. */
import { randomBytes } from 'node:crypto'

const usable = /^[\w.:-]{1,128}$/

export function requestIds(prefix = randomBytes(6).toString('hex')): (request: Request) => string {
  let count = 0
  return (request) => {
    const given = request.headers.get('x-request-id')
    if (given !== null && usable.test(given)) return given
    count += 1
    return `${prefix}-${count.toString(36)}`
  }
}
