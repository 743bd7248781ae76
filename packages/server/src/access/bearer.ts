import type { Authenticate } from './credential.ts'
import { unauthenticated } from './credential.ts'
import type { Keys } from './keys.ts'

/** Callers by the key or token in `Authorization: Bearer`. */
export function byBearer(keys: Keys): Authenticate {
  return (request) => {
    const bearer = /^Bearer ([\w.-]{1,4096})$/i.exec(request.headers.get('authorization') ?? '')?.[1]
    if (bearer === undefined) throw unauthenticated()
    return keys.credentialOf(bearer)
  }
}
