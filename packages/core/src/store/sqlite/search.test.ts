import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import { type SqliteOptions, sqlite } from './index.ts'
import { TemporaryPlace } from './temporary.ts'

const tenant = tenantId('t')
let place: TemporaryPlace
let store: Store

beforeEach(() => {
  place = new TemporaryPlace()
})

afterEach(async () => {
  await store.close()
  place.remove()
})

async function library(said: readonly string[], options: SqliteOptions = {}): Promise<void> {
  store = await sqlite(place.path, options).open({})
  const events = said.map((text) => JSON.stringify(text))
  for (let from = 0; from < events.length; from += 1_000) {
    const slice = events.slice(from, from + 1_000)
    await store.commit([
      commitOf({ tenantId: tenant, sessionId: 's', baseSeq: from, create: from === 0, events: slice }),
    ])
  }
}

async function index(): Promise<void> {
  while (await store.indexPending(tenant, (_, body) => body, 4e6));
}

async function find(words: readonly string[]): Promise<number[]> {
  const hits = await store.search(tenant, { words, limit: 10, offset: 0 })
  return hits.map(({ seq }) => seq)
}

/** Texts whose words are spread as in prose: few of them often, most of them seldom. */
function prose(count: number): string[] {
  let state = 7
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state / 0x7fffffff
  }
  const word = () => {
    const rank = Math.floor(8_000 * next() ** 4)
    return rank.toString(26).padStart(4 + (rank % 6), 'e')
  }
  return Array.from({ length: count }, () => Array.from({ length: 160 }, word).join(' '))
}

it('the index takes at most half a byte per byte of text', async () => {
  const said = prose(3_000)
  await library(said)
  await index()
  const [row] = place.behind("SELECT sum(pgsize) AS bytes FROM dbstat WHERE name LIKE 'search%'")
  const textBytes = said.reduce((sum, text) => sum + text.length, 0)
  expect(Number(row?.bytes) / textBytes).toBeLessThan(0.5)
})

it('hits come newest first', async () => {
  await library(['one fox', 'no', 'two fox', 'three fox'])
  await index()
  expect(await find(['fox'])).toEqual([4, 3, 1])
})

it('scope words cannot be written in a text or a query', async () => {
  await library(['t:1 s:1', 'plain'])
  await index()
  expect(await find(['t:1'])).toEqual([1])
  expect(await find(['s:1', 'plain'])).toEqual([])
})

it('a query of hundreds of words is answered', async () => {
  const words = Array.from({ length: 500 }, (_, at) => `word${at}`)
  await library([words.join(' '), 'word1 word2'])
  await index()
  expect(await find(words)).toEqual([1])
})

it('a text of a megabyte is indexed in one step, and others may write between the steps', async () => {
  await library([...prose(300), 'x'.repeat(1_000_000), 'last'])
  const indexing = index()
  const [outcome] = await store.commit([
    commitOf({ tenantId: tenant, sessionId: 'new', baseSeq: 0, create: true }),
  ])
  expect(outcome?.status).toBe('committed')
  await indexing
  expect(await find(['last'])).toEqual([302])
})

it('switched off it indexes nothing and finds nothing, and switched on again it has missed nothing', async () => {
  await library(['a fox'], { search: false })
  expect(store.info().settings.search).toBe('off')
  expect(await store.indexPending(tenant, (_, body) => body, 1e6)).toBe(false)
  expect(await find(['fox'])).toEqual([])
  await store.close()
  store = await sqlite(place.path).open({})
  await index()
  expect(await find(['fox'])).toEqual([1])
})
