import { expect, it } from 'vitest'
import { storeError } from './errors.ts'

it.each([
  ['SQLITE_FULL', 'store_full', 'what was written before is'],
  ['SQLITE_READONLY', 'store_unavailable', 'make the folder writable, or copy the file'],
  ['SQLITE_READONLY_DIRECTORY', 'store_unavailable', 'make the folder writable, or copy the file'],
  ['SQLITE_IOERR', 'store_unavailable', 'SQLITE_IOERR'],
])('%s is told as what it means', (name, code, said) => {
  const error = Object.assign(new Error('raw'), { code: name })
  expect(storeError(error)).toMatchObject({ code, message: expect.stringContaining(said) })
})
