import type { KeyInfo } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { resolveKeyId } from './key-id.ts'
import type { Keyring } from './keyring.ts'

function ringOf(...ids: string[]): Pick<Keyring, 'all'> {
  return {
    async *all() {
      for (const id of ids) yield { id, name: `of ${id}` } as KeyInfo
    },
  }
}

test('a key is named by its id, or by a beginning or an end that is its own', async () => {
  const ring = ringOf('abcd1', 'abcd2', 'abcd')
  expect(await resolveKeyId(ring, 'abcd')).toBe('abcd')
  expect(await resolveKeyId(ring, 'cd1')).toBe('abcd1')
  expect(await resolveKeyId(ring, 'abcd2')).toBe('abcd2')
  await expect(resolveKeyId(ring, 'd1')).rejects.toMatchObject({ code: 'not_found' })
  await expect(resolveKeyId(ring, 'none')).rejects.toMatchObject({ code: 'not_found' })
})

test('what several ids begin with is refused with each of them', async () => {
  await expect(resolveKeyId(ringOf('abcd1', 'abcd2', 'ffff'), 'abcd')).rejects.toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('  abcd2  of abcd2'),
    details: { candidates: ['abcd1', 'abcd2'] },
  })
})
