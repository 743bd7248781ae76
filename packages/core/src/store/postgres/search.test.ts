import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import type { PostgresOptions } from './index.ts'
import { TemporaryPlace } from './testing/place.ts'
import { scansOf, settle } from './testing/plans.ts'
import { rewriting } from './testing/rewriting.ts'
import { describePostgres, roleOfStores } from './testing/server.ts'

const tenant = tenantId('t')

describePostgres('search on Postgres', () => {
  let place: TemporaryPlace
  let store: Store

  beforeEach(() => {
    place = new TemporaryPlace()
  })
  afterEach(() => place.remove())

  async function library(said: readonly string[], options: Partial<PostgresOptions> = {}): Promise<void> {
    store = await place.open(undefined, options)
    const events = said.map((text) => JSON.stringify(text))
    await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 0, create: true, events })])
  }

  async function index(): Promise<void> {
    while (await store.indexPending(tenant, (_, body) => body, 4e6));
  }

  async function find(words: readonly string[], sessionId?: string): Promise<number[]> {
    const scope = sessionId === undefined ? {} : { sessionId }
    const hits = await store.search(tenant, { words, limit: 10, offset: 0, ...scope })
    return hits.map(({ seq }) => seq)
  }

  it('hits come newest first', async () => {
    await library(['one fox', 'no', 'two fox', 'three fox'])
    await index()
    expect(await find(['fox'])).toEqual([4, 3, 1])
  })

  it('marks of tenants, sessions and portions cannot be written in a text or a query', async () => {
    const mark = (letter: string, name: string) => `${letter}:${Buffer.from(name).toString('hex')}`
    await library([`${mark('t', 't')} ${mark('s', 's')} :portion`, 'plain'])
    await index()
    expect(await find([mark('t', 't')])).toEqual([1])
    expect(await find([mark('s', 's'), 'plain'])).toEqual([])
    expect(await find([':portion', 'plain'])).toEqual([])
    expect(await find(["plain' | 'x", 'plain & !x'])).toEqual([])
  })

  it('an event with more words than one row takes is found by any of them, and by any together', async () => {
    const words = Array.from({ length: 120_000 }, (_, n) => `${n.toString(36)}word${'e'.repeat(n % 7)}`)
    const wide = Array.from(
      { length: 2_000 },
      (_, n) => `${String.fromCodePoint(0x10_400 + (n % 40)).repeat(30)}${n}`,
    )
    const [first = '', middle = '', last = ''] = [words[0], words[60_000], words.at(-1)]
    await library([[...words, ...wide].join(' '), `${first} ${last}`, last])
    await index()
    const [row] = await place.behind(
      'SELECT count(*) AS rows, sum(length(words)) AS words FROM @search WHERE seq = 1',
    )
    expect(Number(row?.rows)).toBeGreaterThan(1)
    expect(Number(row?.words)).toBe(122_000 + Number(row?.rows) * 3)
    expect(await find([middle])).toEqual([1])
    expect(await find([first, last])).toEqual([2, 1])
    expect(await find([first, middle, last], 's')).toEqual([1])
    expect(await find([wide[1_999] ?? '', first])).toEqual([1])
    expect(await find([first, middle, last, 'absent'])).toEqual([])
    const erase = { seqs: [1], erasedBody: () => '"gone"' }
    await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 3, erase })])
    expect(await find([first, last])).toEqual([2])
    await index()
    expect(await find(['gone'])).toEqual([1])
    await store.deleteSession(tenant, 's', { cascade: true })
    expect(await find([last])).toEqual([])
    expect(await place.behind('SELECT seq FROM @search')).toEqual([])
  })

  it('a query of hundreds of words is answered', async () => {
    const words = Array.from({ length: 500 }, (_, at) => `word${at}`)
    await library([words.join(' '), 'word1 word2'])
    await index()
    expect(await find(words)).toEqual([1])
  })

  it('switched off it indexes nothing and finds nothing, and switched on again it has missed nothing', async () => {
    await library(['a fox'], { search: false })
    expect(store.info().settings.search).toBe('off')
    expect(await store.indexPending(tenant, (_, body) => body, 1e6)).toBe(false)
    expect(await find(['fox'])).toEqual([])
    store = await place.open(undefined)
    await index()
    expect(await find(['fox'])).toEqual([1])
  })

  it('goes by the index of words behind the wall, also when the plan was made before there was any', async () => {
    const texts: string[] = []
    const driver = rewriting((sql) => {
      texts.push(sql)
      return sql
    })
    await library(['rare'], { driver, connections: 1 })
    await index()
    const fill = `
      INSERT INTO @search SELECT 't' || n % 100, 's' || n % 1000, n, 0, '2026', array_to_tsvector(ARRAY['t:' || n % 100, 'w' || n % 97])
      FROM generate_series(2, 50001) AS n`
    expect(await find(['rare'])).toEqual([1])
    await place.behind(fill)
    await place.behind('ANALYZE @search')
    expect(await find(['rare'])).toEqual([1])
    const searches = texts.filter((sql) => sql.includes('.search w'))
    expect(searches).toHaveLength(2)
    const scans = await place.as(place.url, async (ask) => {
      await ask('BEGIN')
      await settle(ask, roleOfStores(), 't', 'on')
      return [await scansOf(ask, searches[0] ?? ''), await scansOf(ask, searches[1] ?? '')].flat()
    })
    const ways = scans.filter(({ table }) => table === 'search').map(({ kind, index: by }) => [kind, by])
    expect(ways).toEqual([
      ['Bitmap Heap Scan', 'search_words'],
      ['Bitmap Heap Scan', 'search_words'],
    ])
  })
})
