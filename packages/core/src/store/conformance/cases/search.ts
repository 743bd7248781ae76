/** S: full-text search. */
import assert from 'node:assert/strict'
import { wordsOf } from '../../words.ts'
import type { StoreCase } from '../case.ts'
import { same } from '../expect.ts'
import { hostileIds } from '../hostile.ts'
import type { Trial } from '../trial.ts'

const texts = [
  'The quick brown fox',
  'Der schnelle Ärger über die Straße',
  'the lazy dog and the fox',
  '中文搜索测试',
  'an e-mail to jane.doe@example.org about v1.2',
  'FTS5 NEAR OR AND NOT * " words',
] as const

/** A session with each text in an event of its own. */
async function library(t: Trial, sessionId = 's', said: readonly string[] = texts): Promise<void> {
  await t.create(sessionId, { events: said.map((text) => JSON.stringify(text)) })
}

function textOf(_: string, body: string): string {
  return body
}

/** Indexes in steps of `maxBytes` and counts them. */
async function indexInSteps(t: Trial, maxBytes: number): Promise<number> {
  for (let steps = 1; steps < 10_000; steps += 1) {
    if (!(await t.store.indexPending(t.tenant, textOf, maxBytes))) return steps
  }
  return assert.fail('indexing never ends')
}

export const searchCases: readonly StoreCase[] = [
  {
    id: 'S1.1',
    clause: 'S1',
    title: 'after indexing an event is found by each of its words, with its session and seq',
    async run(t) {
      await library(t)
      await library(t, 'other', ['the quick zebra'])
      await t.index()
      for (const [index, text] of texts.entries()) {
        for (const word of wordsOf(text)) {
          assert.ok((await t.find([word])).includes(`s:${index + 1}`), `${word} of ${text}`)
        }
        assert.ok((await t.find(wordsOf(text))).includes(`s:${index + 1}`), text)
      }
      same(await t.find(['quick']), ['other:1', 's:1'])
      same(await t.find(['zebra']), ['other:1'])
      same(await t.find(['quick', 'fox']), ['s:1'])
      same(await t.find(['quick', 'dog']), [])
      same(await t.find(['quic']), [])
      same(await t.find(['quick'], t.tenant, 's'), ['s:1'])
      same(await t.find(['quick'], t.tenant, 'missing'), [])
    },
  },
  {
    id: 'S1.2',
    clause: 'S1',
    title: 'case, diacritics and script do not hide an event',
    async run(t) {
      await library(t)
      await t.index()
      for (const said of ['ÄRGER', 'arger', 'strasse', 'STRASSE', '搜', '搜索']) {
        const seq = said.startsWith('搜') ? 4 : 2
        same(await t.find(wordsOf(said)), [`s:${seq}`], said)
      }
    },
  },
  {
    id: 'S1.3',
    clause: 'S1',
    title: 'words that mean something to a search engine are only words, and no words find nothing',
    async run(t) {
      await library(t)
      await t.index()
      same(await t.find(['or', 'near']), ['s:6'])
      same(await t.find(['not', 'and']), ['s:6'])
      same(await t.find([]), [])
      for (const id of [
        ...hostileIds,
        '"',
        'fox"',
        "fox'",
        'fox*',
        'fox OR dog',
        'body:fox',
        '-fox',
        '^fox',
      ]) {
        const hits = await t.find([id])
        assert.ok(hits.length <= texts.length, id)
      }
      same(await t.find(['"']), [])
    },
  },
  {
    id: 'S1.4',
    clause: 'S1',
    title: 'only the own tenant finds an event',
    async run(t) {
      await library(t)
      await t.create('s', { tenantId: t.stranger, events: ['"the stranger’s fox"'] })
      await t.index()
      same(await t.find(['fox']), ['s:1', 's:3'])
      same(await t.find(['fox'], t.stranger), ['s:1'])
      same(await t.find(['dog'], t.stranger), [])
      same(await t.find(['stranger']), [])
    },
  },
  {
    id: 'S1.5',
    clause: 'S1',
    title: 'hits come best first, and pages by offset give each hit once',
    async run(t) {
      await t.create('s', {
        events: Array.from({ length: 25 }, (_, index) =>
          JSON.stringify(`fox ${'padding '.repeat((index * 7) % 11)}`),
        ),
      })
      await t.index()
      const whole = await t.store.search(t.tenant, { words: ['fox'], limit: 100, offset: 0 })
      same(whole.length, 25)
      const scores = whole.map(({ score }) => score)
      same(
        scores,
        scores.toSorted((a, b) => a - b),
      )
      const paged: number[] = []
      for (let offset = 0; offset < 30; offset += 4) {
        const page = await t.store.search(t.tenant, { words: ['fox'], limit: 4, offset })
        paged.push(...page.map(({ seq }) => seq))
      }
      same(
        paged.toSorted((a, b) => a - b),
        Array.from({ length: 25 }, (_, index) => index + 1),
      )
    },
  },
  {
    id: 'S1.6',
    clause: 'S1',
    title: 'an event without text is not found, and does not stop the indexing',
    async run(t) {
      await t.create('s', { events: ['"secret fox"', '"plain fox"'] })
      const hide = (_: string, body: string) => (body.includes('secret') ? undefined : body)
      while (await t.store.indexPending(t.tenant, hide, 1_000));
      same(await t.find(['fox']), ['s:2'])
      same(await t.find(['secret']), [])
    },
  },
  {
    id: 'S1.7',
    clause: 'S1',
    title: 'the text to index is asked for with the event’s type and body',
    async run(t) {
      await t.create('s', { events: ['"body text"'] })
      const asked: string[] = []
      const ask = (type: string, body: string) => {
        asked.push(`${type} ${body}`)
        return 'quite another word'
      }
      while (await t.store.indexPending(t.tenant, ask, 1_000));
      same(asked, ['note.added "body text"'])
      same(await t.find(['another']), ['s:1'])
      same(await t.find(['body']), [])
    },
  },
  {
    id: 'S2.1',
    clause: 'S2',
    title: 'indexing takes bounded steps, says when more waits, and ends',
    async run(t) {
      const said = Array.from({ length: 20 }, (_, index) => `word${index} ${'x'.repeat(100)}`)
      await library(t, 's', said)
      const steps = await indexInSteps(t, 250)
      assert.ok(steps >= 5, `20 texts of 100 bytes were indexed in ${steps} steps of 250 bytes`)
      for (let index = 0; index < 20; index += 1) same(await t.find([`word${index}`]), [`s:${index + 1}`])
      same(await t.store.indexPending(t.tenant, textOf, 250), false)
    },
  },
  {
    id: 'S2.2',
    clause: 'S2',
    title: 'a text larger than the step is indexed all the same',
    async run(t) {
      await library(t, 's', ['first', `${'large '.repeat(1_000)}elephant`, 'last'])
      await indexInSteps(t, 1)
      same(await t.find(['elephant']), ['s:2'])
      same(await t.find(['last']), ['s:3'])
    },
  },
  {
    id: 'S2.3',
    clause: 'S2',
    title: 'a search before or between the steps answers from what is indexed',
    async run(t) {
      await library(t)
      same(await t.find(['fox']), [])
      assert.equal(await t.store.indexPending(t.tenant, textOf, 1), true)
      const between = await t.find(['fox'])
      assert.ok(between.length <= 1)
      await t.index()
      same(await t.find(['fox']), ['s:1', 's:3'])
      await t.append('s', { events: ['"a later fox"'] })
      same(await t.find(['fox']), ['s:1', 's:3'])
      await t.index()
      same(await t.find(['fox']), ['s:1', 's:3', 's:7'])
    },
  },
  {
    id: 'S2.4',
    clause: 'S2',
    title: 'with nothing to index nothing waits',
    async run(t) {
      same(await t.store.indexPending(t.tenant, textOf, 1_000), false)
      await t.create('s')
      await t.index()
      same(await t.store.indexPending(t.tenant, textOf, 1_000), false)
    },
  },
  {
    id: 'S3.1',
    clause: 'S3',
    title: 'after a reset nothing is found until the index is rebuilt, with the same hits',
    async run(t) {
      await library(t)
      await library(t, 'other', ['another fox'])
      await t.fork('s', 2, 'fork', { events: ['"a forked fox"'] })
      await t.index()
      const before = await t.find(['fox'])
      same(before, ['fork:3', 'other:1', 's:1', 's:3'])
      await t.store.resetIndex()
      same(await t.find(['fox']), [])
      await t.index()
      same(await t.find(['fox']), before)
    },
  },
  {
    id: 'S4.1',
    clause: 'S4',
    title: 'events of a deleted session are not found, indexed or not, also after a rebuild',
    async run(t) {
      await library(t)
      await library(t, 'kept')
      await t.index()
      same(await t.find(['fox']), ['kept:1', 'kept:3', 's:1', 's:3'])
      await t.append('s', { events: ['"pending fox"'] })
      await t.store.deleteSession(t.tenant, 's', { cascade: false })
      same(await t.find(['fox']), ['kept:1', 'kept:3'])
      await t.index()
      same(await t.find(['fox']), ['kept:1', 'kept:3'])
      await t.store.resetIndex()
      await t.index()
      same(await t.find(['fox']), ['kept:1', 'kept:3'])
      same(await t.find(['pending']), [])
    },
  },
  {
    id: 'S4.2',
    clause: 'S4',
    title: 'erased events are not found; the others are found again once indexed',
    async run(t) {
      await library(t)
      await t.index()
      await t.append('s', {
        erase: { seqs: [1], erasedBody: () => '{"erased":true}' },
        events: ['"new fox"'],
      })
      same(await t.find(['quick']), [])
      await t.index()
      same(await t.find(['fox']), ['s:3', 's:7'])
      same(await t.find(['quick']), [])
      await t.store.resetIndex()
      await t.index()
      same(await t.find(['fox']), ['s:3', 's:7'])
    },
  },
]
