/** What the file system refused, in words. */
import type { ErrorCode } from '@holdfast/protocol'

export interface FileRefusal {
  code: ErrorCode
  message: string
}

const refusals: Readonly<Record<string, { code: ErrorCode; tell: (path: string) => string }>> = {
  ENOENT: { code: 'not_found', tell: (path) => `${path} is not there.` },
  EACCES: { code: 'invalid_input', tell: notPermitted },
  EPERM: { code: 'invalid_input', tell: notPermitted },
  EISDIR: { code: 'invalid_input', tell: (path) => `${path} is a folder.` },
  ENOTDIR: { code: 'invalid_input', tell: (path) => `${path} leads through a file that is no folder.` },
  EEXIST: { code: 'invalid_input', tell: (path) => `${path} exists already.` },
  EROFS: { code: 'invalid_input', tell: (path) => `${path} is on a disk that may only be read.` },
  EMFILE: { code: 'store_unavailable', tell: tooManyOpen },
  ENFILE: { code: 'store_unavailable', tell: tooManyOpen },
  ENOSPC: { code: 'store_full', tell: full },
  EDQUOT: { code: 'store_full', tell: full },
}

/** Undefined for any other error. */
export function fileRefusal(error: unknown): FileRefusal | undefined {
  if (!(error instanceof Error) || !('syscall' in error)) return undefined
  const { code = '', path } = error as NodeJS.ErrnoException
  const refusal = Object.hasOwn(refusals, code) ? refusals[code] : undefined
  return refusal && { code: refusal.code, message: refusal.tell(path ?? 'What was named') }
}

function notPermitted(path: string): string {
  return `${path} may not be read or written by this user.`
}

function tooManyOpen(): string {
  return 'Too many files are open.\n  ulimit -n tells how many there may be.'
}

function full(): string {
  return 'The disk is full: what was being written is not there; what was written before is.'
}
