import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '@holdfast/core'
import { runStoreConformance } from '@holdfast/core/conformance'
import { afterAll, describe, it } from 'vitest'
import { sqliteWithWriter } from './with-writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-writer-'))
let files = 0
const newFile = (): string => join(folder, `${++files}.db`)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a SQLite file with a writer thread', () => {
  runStoreConformance(
    {
      name: 'sqlite with a writer thread',
      async open({ clock }) {
        const path = newFile()
        const handles: Store[] = []
        const another = async () => {
          const handle = await sqliteWithWriter(path).open({ clock })
          handles.push(handle)
          return handle
        }
        const closeAll = async () => void (await Promise.all(handles.map((handle) => handle.close())))
        return { store: await another(), another, reopen: another, dispose: closeAll }
      },
    },
    { test: it },
  )
})
