import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/place.ts'
import { lookOf } from './changes.ts'

test('a folder looks other once a file in it or behind a link changes, and the same until then', async () => {
  const folder = temporaryFolder()
  const [watched, elsewhere] = [join(folder, 'watched'), join(folder, 'elsewhere')]
  mkdirSync(join(watched, 'deep'), { recursive: true })
  mkdirSync(elsewhere)
  const file = join(elsewhere, 'a.jsonl')
  writeFileSync(file, '1')
  const changes: (() => void)[] = [
    () => writeFileSync(join(watched, 'deep', 'b.jsonl'), '1'),
    () => symlinkSync(file, join(watched, 'linked.jsonl')),
    () => appendFileSync(file, '2'),
    () => symlinkSync(elsewhere, join(watched, 'linked')),
    () => writeFileSync(join(elsewhere, 'c.jsonl'), '1'),
  ]
  symlinkSync(watched, join(watched, 'loop'))
  symlinkSync(join(folder, 'nowhere'), join(watched, 'broken'))
  const looks: string[] = []
  for (const change of changes) {
    looks.push(await lookOf([watched]))
    expect(await lookOf([watched])).toBe(looks.at(-1))
    change()
  }
  looks.push(await lookOf([watched]))
  expect(new Set(looks).size).toBe(changes.length + 1)
})
