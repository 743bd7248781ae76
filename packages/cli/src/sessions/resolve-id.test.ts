import { join } from 'node:path'
import { openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { expect, test } from 'vitest'
import { filledStore, temporaryFolder } from '../testing/place.ts'
import { run } from '../testing/run.ts'
import { resolveId, shortId } from './resolve-id.ts'

const ids = [
  '01a1fdf5-d3cb-7796-a46e-6ebe25f45717',
  '01a1fdf5-d3cb-7796-a46e-000025f45717',
  '01a1fdf6-d3cb-7796-a46e-6ebe25f40000',
]

async function opened() {
  const holdfast = await openHoldfast({ store: memory() })
  for (const id of ids) await holdfast.sessions.create({ id, agentId: 'a', title: `session ${id.slice(-4)}` })
  return holdfast
}

test('the beginning or the end of an id is enough where only one session has it', async () => {
  await using holdfast = await opened()
  expect(await resolveId(holdfast, '01a1fdf6')).toBe(ids[2])
  expect(await resolveId(holdfast, 'e25f40000')).toBe(ids[2])
  expect(await resolveId(holdfast, ids[0] as string)).toBe(ids[0])
  expect(await resolveId(holdfast, shortId(ids[2] as string))).toBe(ids[2])
})

test('last is the session that changed last', async () => {
  await using holdfast = await opened()
  const [newest] = (await holdfast.sessions.list({}, { limit: 1 })).sessions
  expect(await resolveId(holdfast, 'last')).toBe(newest?.id)
})

test('an ambiguous one lists the candidates', async () => {
  await using holdfast = await opened()
  await expect(resolveId(holdfast, '25f45717')).rejects.toMatchObject({
    code: 'invalid_input',
    details: { candidates: expect.arrayContaining([ids[0], ids[1]]) },
  })
  await expect(resolveId(holdfast, '01a1fdf5')).rejects.toThrow(`${ids[1]}  20`)
})

test('an id of nothing is not found, and so is one too short to mean anything', async () => {
  await using holdfast = await opened()
  await expect(resolveId(holdfast, 'ffffffff')).rejects.toMatchObject({ code: 'not_found' })
  const short = resolveId(holdfast, '00')
  await expect(short).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('3 characters'),
  })
})

test('on the command line a missing session ends with 3, an ambiguous one with 2', async () => {
  const store = join(temporaryFolder(), 'a.db')
  await filledStore(store, async ({ sessions }) => {
    for (const id of ids) await sessions.create({ id, agentId: 'a' })
  })
  expect(await run(['show', 'ffffffff', '--store', store])).toMatchObject({ code: 3, out: '' })
  const ambiguous = await run(['show', '25f45717', '--store', store])
  expect(ambiguous).toMatchObject({ code: 2, out: '' })
  expect(ambiguous.err).toContain(ids[0])
})
