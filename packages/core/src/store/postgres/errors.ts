/** What an error of Postgres, or of the connection to it, means for the caller. */
import { type ErrorCode, HoldfastError, isHoldfastError } from '@holdfast/protocol'

const meanings: readonly { states: RegExp; code: ErrorCode; message: string }[] = [
  {
    states: /^(40001|40P01|55P03|53300|53200|57P0[123]|25006|25P03)$/,
    code: 'store_busy',
    message: 'Postgres is busy, restarting or read-only; nothing was written. Try again later.',
  },
  {
    states: /^53100$/,
    code: 'store_full',
    message: 'The disk of Postgres is full; nothing was written. Free space and try again.',
  },
  {
    states: /^(XX001|XX002)$/,
    code: 'store_corrupt',
    message: 'Postgres says that its data is damaged; restore it from a backup.',
  },
  {
    states: /^(26000|42P05|08P01)$/,
    code: 'store_unsupported',
    message:
      'A pooler between here and Postgres keeps no prepared statements; open with `keepStatements: false`.',
  },
  {
    states: /^22/,
    code: 'invalid_input',
    message: 'A text or number is not one that Postgres can hold; nothing was written.',
  },
  {
    states: /^(28|3D000|42501)/,
    code: 'store_unavailable',
    message: 'Postgres refuses this role, password or database; check the URL and the rights of its role.',
  },
]

/** The five characters of SQLSTATE, or undefined for an error that the server did not tell. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined
}

/** Told of a standby before any write was sent to it, as that server would have said it. */
export class StandbyServer extends Error {
  readonly code = '25006'

  constructor() {
    super('the server is a standby')
  }
}

/**
 * The server gave up waiting for its standbys, for somebody cancelled the wait or it took too long: it has committed, and
 * says so, but on this machine alone.
 */
export class UnreplicatedCommit extends Error {
  readonly code = '08007'

  constructor() {
    super('the wait for a standby was cancelled')
  }
}

/** By the function of the server that gives the notice: its text is in the language of the server. */
export function isUnreplicated({ routine }: { routine?: string }): boolean {
  return routine === 'SyncRepWaitForLSN'
}

/** Another transaction was in the way: this one was rolled back whole, and may succeed when it runs anew. */
export function isCollision(error: unknown): boolean {
  return ['40001', '40P01', '23505'].includes(sqlState(error) ?? '')
}

/** The server is going, gone, starting, full of connections or not the primary, or has had enough of us: it may be back soon. */
export function isOutage(error: unknown): boolean {
  const state = sqlState(error)
  if (state === undefined) return !isHoldfastError(error) && isConnectionError(error)
  return /^(08(?!P01)|57P0[123]|53300$|25006$|25P03$)/.test(state)
}

const connectionCodes = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT)/
const connectionMessages =
  /^(Connection terminated|timeout (exceeded|expired)|Query read timeout|Client has encountered)/

function isConnectionError(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isConnectionError)
  if (!(error instanceof Error)) return false
  return (
    connectionCodes.test(String('code' in error ? error.code : '')) || connectionMessages.test(error.message)
  )
}

/** Ours for an error of the server or the connection; any other error is a bug and stays what it is. */
export function storeError(error: unknown): unknown {
  const state = sqlState(error)
  if (isExhausted(error)) return busy(error)
  if (state === undefined) return isOutage(error) ? unreachable(error) : error
  const meaning = meanings.find(({ states }) => states.test(state))
  const message =
    meaning?.message ?? `Postgres failed (${state}: ${(error as Error).message}); nothing was written.`
  return new HoldfastError(meaning?.code ?? 'store_unavailable', message, { cause: error })
}

/** Told by the pool to whoever waited for one of its connections. */
function isExhausted(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout exceeded when trying to connect'
}

function busy(cause: unknown): HoldfastError {
  const message = 'Every connection of this store is in use, and none became free; nothing was written.'
  return new HoldfastError('store_busy', `${message} Try again later.`, { cause })
}

function unreachable(cause: unknown): HoldfastError {
  return new HoldfastError('store_unavailable', 'Postgres cannot be reached; check the URL and the server.', {
    cause,
  })
}

/**
 * For an error after the statements of a write were sent. The server says what went wrong before it commits; but when
 * it goes away, the last thing it did may have been to commit.
 */
export function writeError(error: unknown): unknown {
  if (!isOutage(error) || ['25006', '25P03', '53300'].includes(sqlState(error) ?? ''))
    return storeError(error)
  const message =
    'The connection to Postgres broke during a write; send the same commit again to learn its outcome.'
  return new HoldfastError('commit_unknown', message, { cause: error })
}
