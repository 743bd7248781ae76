/** What an engine error means for the caller. Both drivers throw errors of their own; here they become ours. */
import { type ErrorCode, HoldfastError } from '@holdfast/protocol'

/** Primary result codes of SQLite that we tell apart; an extended code keeps its primary one in the low byte. */
const codes: Readonly<Record<number, string>> = {
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  15: 'SQLITE_PROTOCOL',
  26: 'SQLITE_NOTADB',
}

const meanings: readonly { names: readonly string[]; code: ErrorCode; message: string }[] = [
  {
    names: ['SQLITE_BUSY', 'SQLITE_LOCKED', 'SQLITE_PROTOCOL'],
    code: 'store_busy',
    message: 'The database stayed locked by another process; try again later.',
  },
  {
    names: ['SQLITE_FULL'],
    code: 'store_full',
    message: 'The disk is full: what was being written is not there; what was written before is.',
  },
  {
    names: ['SQLITE_READONLY'],
    code: 'store_unavailable',
    message:
      'SQLite writes beside a database even to read it, and may not here: make the folder writable, or copy the file to one that is.',
  },
  {
    names: ['SQLITE_NOTADB'],
    code: 'store_corrupt',
    message: 'The file is not an SQLite database; name another path.',
  },
  {
    names: ['SQLITE_CORRUPT'],
    code: 'store_corrupt',
    message: 'The database file is damaged; restore it from a backup.',
  },
]

const damaged = meanings.find(({ names }) => names.includes('SQLITE_CORRUPT'))

/** What SQLite says of a virtual table that it cannot make of its text and its settings. Both are as the migrations made them. */
const unreadableTable = /^(no such tokenizer|invalid fts5 file format|vtable constructor failed)/

/** Name of the result code, or undefined for an error that is not the engine's. */
export function sqliteCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { code } = error
  if (code === 'ERR_SQLITE_ERROR' && 'errcode' in error) {
    return codes[Number(error.errcode) & 0xff] ?? 'SQLITE_ERROR'
  }
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined
}

/** For a text that does not fit the schema. */
export function damagedSchemaError(cause: unknown): Error {
  return Object.assign(new Error('the schema is not what the migrations made', { cause }), {
    code: 'SQLITE_CORRUPT',
  })
}

export function isBusy(error: unknown): boolean {
  return meaningOf(error)?.code === 'store_busy'
}

/** For a refusal that SQLite tells by a value instead of an error. */
export function busyError(): Error {
  return Object.assign(new Error('another connection is in the way'), { code: 'SQLITE_BUSY' })
}

/** After one of these the connection is not to be trusted: what it holds in memory may differ from the file. */
export function breaksConnection(error: unknown): boolean {
  const name = sqliteCode(error)
  if (name === undefined || name.startsWith('SQLITE_CONSTRAINT')) return false
  return !['store_busy', 'store_full'].includes(meaningOf(error)?.code ?? '')
}

export function storeClosed(): HoldfastError {
  return new HoldfastError('store_closed', 'This store was closed; open it again to use it.')
}

/** Ours for an engine error; any other error is a bug and stays what it is. `path`: of the file, where it is to be named. */
export function storeError(error: unknown, path?: string): unknown {
  if (sqliteCode(error) === undefined) return error
  const { code, message } = meaningOf(error) ?? {
    code: 'store_unavailable' as const,
    message: `The database failed (${String(sqliteCode(error))}); nothing was written.`,
  }
  return new HoldfastError(code, path === undefined ? message : `${path}: ${message}`, { cause: error })
}

/**
 * For an error of COMMIT itself. A full disk is told before the frame that makes the transaction valid is whole, so
 * nothing was written. After any other failure that frame may be in the journal, and a later recovery may find it.
 */
export function commitError(error: unknown): unknown {
  const code = meaningOf(error)?.code
  if (sqliteCode(error) === undefined || code === 'store_full' || code === 'store_busy')
    return storeError(error)
  const message = 'The database failed while committing; send the same commit again to learn its outcome.'
  return new HoldfastError('commit_unknown', message, { cause: error })
}

function meaningOf(error: unknown): (typeof meanings)[number] | undefined {
  const name = sqliteCode(error)
  if (name === 'SQLITE_ERROR' && unreadableTable.test((error as Error).message)) return damaged
  return meanings.find(({ names }) => names.some((known) => name === known || name?.startsWith(`${known}_`)))
}
