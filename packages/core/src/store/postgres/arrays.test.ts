import pg from 'pg'
import { expect, it } from 'vitest'
import { hostileBodies, hostileIds } from '../conformance/hostile.ts'
import { bytesArray, int4Array, int8Array, textArray } from './arrays.ts'
import { describePostgres, freshSchema } from './testing/server.ts'

/** What Postgres says the arrays hold, as JSON. */
async function held(type: string, arrays: readonly Buffer[]): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: freshSchema().url })
  await client.connect()
  try {
    const found: unknown[] = []
    for (const array of arrays) {
      const { rows } = await client.query(`SELECT to_json($1::${type}[]) AS held`, [array])
      found.push(rows[0].held)
    }
    return found
  } finally {
    await client.end()
  }
}

describePostgres('arrays in binary', () => {
  it.each([
    [[]],
    [['']],
    [[null, undefined, 'null', 'NULL', '{}', '"', ',']],
    [hostileIds],
    [hostileBodies],
    [['x'.repeat(1_000_000), '😀'.repeat(100_000), '']],
  ])('texts come back as they were (%#)', async (texts) => {
    expect(await held('text', [textArray(texts)])).toEqual([texts.map((text) => text ?? null)])
  })

  it('numbers of four bytes', async () => {
    const numbers = [0, 1, -1, null, undefined, 2 ** 31 - 1, -(2 ** 31)]
    expect(await held('int4', [int4Array(numbers), int4Array([])])).toEqual([
      numbers.map((number) => number ?? null),
      [],
    ])
  })

  it('numbers of eight bytes', async () => {
    const powers = [31, 32, 33, 52, 53].flatMap((power) => [2 ** power - 1, -(2 ** power) + 1])
    const numbers = [0, 1, -1, 2 ** 32, -(2 ** 32), -(2 ** 32) - 1, null, undefined, ...powers]
    expect(await held('int8', [int8Array(numbers), int8Array([])])).toEqual([
      numbers.map((number) => number ?? null),
      [],
    ])
  })

  it('bytes', async () => {
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    const hex = `\\x${Buffer.from(all).toString('hex')}`
    expect(await held('bytea', [bytesArray([all, null, new Uint8Array()])])).toEqual([[hex, null, '\\x']])
  })
})
