/** Whoever asked has left: nobody hears the answer, and nothing failed here. It is counted as 499, as proxies count it. */
import { HoldfastError, isHoldfastError } from '@holdfast/protocol'
import { typed } from './problem.ts'

const goneStatus = 499

class ClientGone extends HoldfastError {
  constructor(cause: unknown) {
    super('invalid_input', 'body: whoever sent it left before its end.', { cause })
  }

  override get status(): number {
    return goneStatus
  }
}

/** What failed while the body was read, which is no fault of the server's where its sender left. */
export function unread(error: unknown, { signal }: Request): unknown {
  return signal.aborted && !isHoldfastError(error) ? new ClientGone(error) : error
}

/** The body as it comes; nothing where there is none. */
export async function* chunksOf(request: Request): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* request.body ?? []
  } catch (error) {
    throw unread(error, request)
  }
}

/** What the caller is told; what was put down since the caller left is told to nobody. */
export function failureOf(thrown: unknown, { signal }: Request): HoldfastError {
  return signal.aborted && thrown === signal.reason ? new ClientGone(thrown) : typed(thrown)
}
