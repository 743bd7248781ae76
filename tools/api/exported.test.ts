import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportedNames } from './exported.ts'

function namesOf(files: Record<string, string>): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'exported-'))
  try {
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text)
    return Object.fromEntries(exportedNames(join(folder, 'index.d.ts')))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('declarations are given as emitted, without what is not exported', () => {
  const text =
    'type Own = 1; export declare function f(): Own; export interface I { a: 1 } export declare const a: 1, b: 2;'
  expect(namesOf({ 'index.d.ts': text })).toEqual({
    f: 'function f(): Own;',
    I: 'interface I { a: 1 }',
    a: 'const a: 1, b: 2;',
    b: 'const a: 1, b: 2;',
  })
})

test('overloads of one name are kept together', () => {
  const text = 'export declare function f(a: 1): 1;\nexport declare function f(a: 2): 2;'
  expect(namesOf({ 'index.d.ts': text })).toEqual({ f: 'function f(a: 1): 1;\nfunction f(a: 2): 2;' })
})

test('re-exports are followed, renamed ones under both names', () => {
  const files = {
    'index.d.ts':
      "export * from './a.ts'; import { b } from './b.ts'; export { b, b as c }; export type { D } from './b.ts'",
    'a.d.ts': 'export declare class A {}',
    'b.d.ts': 'export declare const b: 1; export type D = 2;',
  }
  expect(namesOf(files)).toEqual({
    A: 'class A {}',
    b: 'const b: 1;',
    c: 'c = const b: 1;',
    D: 'type D = 2;',
  })
})

test('names of a foreign package are named, not copied', () => {
  const text = "export { z } from 'zod'; export * from 'uuidv7'; export * as ns from 'pg'"
  expect(namesOf({ 'index.d.ts': text })).toEqual({
    z: "z from 'zod'",
    "* from 'uuidv7'": "export * from 'uuidv7'",
    ns: "export * as ns from 'pg'",
  })
})

test('a long constant keeps its name only', () => {
  const text = `export declare const a: { ${'b: 1; '.repeat(50)} }`
  expect(namesOf({ 'index.d.ts': text })).toEqual({ a: 'const a: …' })
})
