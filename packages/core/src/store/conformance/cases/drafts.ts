/** D: drafts, the text of an answer while it is being written. */
import { limits } from '@holdfast/protocol'
import type { DraftChunk } from '../../store.ts'
import type { StoreCase } from '../case.ts'
import { same } from '../expect.ts'
import type { Trial } from '../trial.ts'

const written = { status: 'written' }

async function texts(t: Trial, draftId = 'draft', after = 0): Promise<string[]> {
  const chunks = await t.store.readDraft(t.tenant, 's', draftId, after)
  return chunks.map(({ chunk, text }) => `${chunk} ${text}`)
}

export const draftCases: readonly StoreCase[] = [
  {
    id: 'D1.1',
    clause: 'D1',
    title: 'chunks are kept in order, across writes, and read from any chunk on',
    async run(t) {
      await t.createHeld('s')
      same(await t.appendDraft(t.draft('s', 1, ['a'])), written)
      same(await t.appendDraft(t.draft('s', 2, ['b', 'c', 'd'])), written)
      same(await texts(t), ['1 a', '2 b', '3 c', '4 d'])
      same(await texts(t, 'draft', 2), ['3 c', '4 d'])
      same(await texts(t, 'draft', 4), [])
      same(await texts(t, 'other'), [])
      const open = { draftId: 'draft', runId: 'run', epoch: 1, last: 4 }
      same(await t.store.listDrafts(t.tenant, 's'), [open])
      same(await t.seqs('s'), [1, 2])
    },
  },
  {
    id: 'D1.2',
    clause: 'D1',
    title: 'hostile and long text of either kind comes back as it was written, many chunks too',
    async run(t) {
      await t.createHeld('s')
      const chunks: DraftChunk[] = [
        { kind: 'reasoning', text: '' },
        { kind: 'text', text: '\u0001 \uffff \u202e 😀 e\u0301 \' " \\ % $1' },
        { kind: 'text', text: '中'.repeat(Math.floor(limits.draftChunkBytes / 3)) },
        ...Array.from({ length: 300 }, (_, index): DraftChunk => ({ kind: 'text', text: `${index}` })),
      ]
      same(await t.store.appendDraft(t.draft('s', 1, [], { chunks })), written)
      same(
        await t.store.readDraft(t.tenant, 's', 'draft', 0),
        chunks.map((chunk, index) => ({ chunk: index + 1, ...chunk })),
      )
    },
  },
  {
    id: 'D1.3',
    clause: 'D1',
    title: 'drafts side by side do not mix',
    async run(t) {
      await t.createHeld('s')
      for (const draftId of ['d1', 'd_1', "d'1"]) {
        same(await t.appendDraft(t.draft('s', 1, [draftId], { draftId })), written)
      }
      for (const draftId of ['d1', 'd_1', "d'1"]) same(await texts(t, draftId), [`1 ${draftId}`])
      same((await t.store.listDrafts(t.tenant, 's')).length, 3)
    },
  },
  {
    id: 'D2.1',
    clause: 'D2',
    title: 'a chunk that comes too early or again is refused with the last number, and nothing is written',
    async run(t) {
      await t.createHeld('s')
      await t.unchanged(async () =>
        same(await t.appendDraft(t.draft('s', 2, ['b'])), { status: 'gap', last: 0 }),
      )
      await t.appendDraft(t.draft('s', 1, ['a', 'b']))
      await t.unchanged(async () => {
        for (const first of [1, 2, 4, 99]) {
          same(await t.appendDraft(t.draft('s', first, ['x', 'y'])), { status: 'gap', last: 2 })
        }
      })
      same(await t.appendDraft(t.draft('s', 3, ['c'])), written)
    },
  },
  {
    id: 'D2.2',
    clause: 'D2',
    title: 'of two writes of one chunk at once, through two handles, exactly one is written',
    needs: ['another'],
    async run(t) {
      const other = await t.another()
      await t.createHeld('s')
      for (let first = 1; first <= 20; first += 1) {
        const outcomes = await Promise.all([
          t.store.appendDraft(t.draft('s', first, ['ours'])),
          other.appendDraft(t.draft('s', first, ['theirs'])),
        ])
        const statuses = outcomes.map(({ status }) => status).sort()
        same(statuses, ['gap', 'written'])
      }
    },
  },
  {
    id: 'D3.1',
    clause: 'D3',
    title: 'a draft write with an epoch that does not hold the lease is refused and writes nothing',
    async run(t) {
      await t.create('s')
      await t.unchanged(async () => {
        same(await t.appendDraft(t.draft('s', 1, ['a'], { epoch: 0 })), { status: 'fenced', epoch: 0 })
      })
      await t.take('s', 0)
      await t.appendDraft(t.draft('s', 1, ['a']))
      await t.unchanged(async () => {
        for (const epoch of [0, 2]) {
          same(await t.appendDraft(t.draft('s', 2, ['b'], { epoch })), { status: 'fenced', epoch: 1 })
        }
      })
      await t.append('s', { epoch: 1, lease: { type: 'release' } })
      await t.unchanged(async () => {
        same(await t.appendDraft(t.draft('s', 2, ['b'])), { status: 'fenced', epoch: 1 })
      })
    },
  },
  {
    id: 'D4.1',
    clause: 'D4',
    title: 'the commit that names a draft removes it, and no other',
    async run(t) {
      await t.createHeld('s')
      await t.appendDraft(t.draft('s', 1, ['a']))
      await t.appendDraft(t.draft('s', 1, ['kept'], { draftId: 'other' }))
      await t.append('s', { epoch: 1, dropDrafts: ['draft', 'unknown'] })
      same(await texts(t), [])
      same(await texts(t, 'other'), ['1 kept'])
      same(
        (await t.store.listDrafts(t.tenant, 's')).map(({ draftId }) => draftId),
        ['other'],
      )
    },
  },
  {
    id: 'D4.2',
    clause: 'D4',
    title: 'a draft that a commit has named takes no more chunks, whether it had any or not',
    async run(t) {
      await t.createHeld('s')
      await t.appendDraft(t.draft('s', 1, ['a']))
      await t.append('s', { epoch: 1, dropDrafts: ['draft', 'unborn'] })
      await t.unchanged(async () => {
        for (const draftId of ['draft', 'unborn']) {
          for (const first of [1, 2]) {
            same(await t.appendDraft(t.draft('s', first, ['late'], { draftId })), { status: 'closed' })
          }
        }
      })
      same(await t.appendDraft(t.draft('s', 1, ['next'], { draftId: 'next' })), written)
    },
  },
]
