/** F: sessions that begin with the prefix of another. */
import { attachmentOf, bodyOf } from '../build.ts'
import type { StoreCase } from '../case.ts'
import { same, sameSet } from '../expect.ts'
import type { Trial } from '../trial.ts'

/** a: 1–5. b: a to 3, own 4–7. c: b to 6, own 7–9. d: c to 8, own 9–10. e: b to 2, own 3. */
async function family(t: Trial): Promise<void> {
  await t.create('a', { events: 5 })
  await t.fork('a', 3, 'b', { events: 4 })
  await t.fork('b', 6, 'c', { events: 3 })
  await t.fork('c', 8, 'd', { events: 2 })
  await t.fork('b', 2, 'e')
}

const never = { sessionId: 'never', from: 1, to: 1 }

const dBodies = [
  bodyOf('a', 1),
  bodyOf('a', 2),
  bodyOf('a', 3),
  bodyOf('b', 4),
  bodyOf('b', 5),
  bodyOf('b', 6),
  bodyOf('c', 7),
  bodyOf('c', 8),
  bodyOf('d', 9),
  bodyOf('d', 10),
]

export const forkCases: readonly StoreCase[] = [
  {
    id: 'F1.1',
    clause: 'F1',
    title: 'a fork reads its source’s prefix and then its own events',
    async run(t) {
      await t.create('source', { events: 4 })
      const created = await t.fork('source', 3, 'fork', { events: 2 })
      same([created.firstSeq, created.lastSeq], [4, 5])
      same(await t.bodies('fork'), [
        ...[1, 2, 3].map((seq) => bodyOf('source', seq)),
        bodyOf('fork', 4),
        bodyOf('fork', 5),
      ])
      same(await t.store.readSegments(t.tenant, 'fork'), [{ sessionId: 'source', from: 1, to: 3 }])
      same(await t.store.readSegments(t.tenant, 'source'), [])
      same((await t.append('fork')).lastSeq, 6)
    },
  },
  {
    id: 'F1.2',
    clause: 'F1',
    title: 'a fork of a fork of a fork reads across all of them, on every page size, in both directions',
    async run(t) {
      await family(t)
      const falling = dBodies.toReversed()
      for (let limit = 1; limit <= 11; limit += 1) {
        for (let after = 0; after <= 10; after += 1) {
          const range = { after, limit, maxBytes: Number.MAX_SAFE_INTEGER }
          const page = await t.store.readEvents(t.tenant, 'd', { ...range, direction: 'forward' })
          same(
            page.map(({ body }) => body),
            dBodies.slice(after, after + limit),
          )
          const back = { through: 10 - after, limit, maxBytes: Number.MAX_SAFE_INTEGER }
          const pageBack = await t.store.readEvents(t.tenant, 'd', { ...back, direction: 'backward' })
          same(
            pageBack.map(({ body }) => body),
            falling.slice(after, after + limit),
          )
        }
      }
      same(await t.bodies('e'), [bodyOf('a', 1), bodyOf('a', 2), bodyOf('e', 3)])
    },
  },
  {
    id: 'F1.3',
    clause: 'F1',
    title: 'a page of a fork counts the bytes of its prefix too',
    async run(t) {
      await t.create('source', { events: ['"1234"', '"1234"'] })
      await t.fork('source', 2, 'fork', { events: ['"1234"', '"1234"'] })
      same(await t.seqs('fork', { maxBytes: 17 }), [1, 2])
      same(await t.seqs('fork', { maxBytes: 18 }), [1, 2, 3])
      same(await t.seqs('fork', { maxBytes: 18, direction: 'backward' }), [4, 3, 2])
      same(await t.seqs('fork', { after: 1, through: 3 }), [2, 3])
    },
  },
  {
    id: 'F1.4',
    clause: 'F1',
    title: 'parts, waypoints, usage, keys and drafts of the source are not the fork’s',
    async run(t) {
      await t.create('source', {
        parts: [{ part: 'p', body: '1' }],
        usage: [{}],
        waypoint: true,
        key: { key: 'k', hash: 'h', expiresAtMs: 9_999_999_999_999 },
      })
      await t.take('source', 0)
      await t.appendDraft(t.draft('source', 1, ['x']))
      await t.fork('source', 2, 'fork')
      same(await t.store.readParts(t.tenant, 'fork', ['p']), new Map())
      same(await t.store.readWaypoint(t.tenant, 'fork', 9), undefined)
      same(await t.store.readUsage(t.tenant, 'fork', 0, 9), [])
      same(await t.store.readKey(t.tenant, 'fork', 'k'), undefined)
      same(await t.store.listDrafts(t.tenant, 'fork'), [])
      same((await t.lease('fork'))?.epoch, 0)
    },
  },
  {
    id: 'F2.1',
    clause: 'F2',
    title: 'forking, and writing to the fork, leaves the source as it was',
    async run(t) {
      await t.create('source', { events: 3, parts: [{ part: 'p', body: '1' }] })
      const dumpSource = async () => {
        const { forks: _, ...rest } = (await sessionDump(t, 'source')) as Record<string, unknown>
        return rest
      }
      const before = await dumpSource()
      await t.fork('source', 2, 'fork', { parts: [{ part: 'p', body: '2' }] })
      await t.append('fork', { events: 2 })
      same(await dumpSource(), before)
    },
  },
  {
    id: 'F2.2',
    clause: 'F2',
    title:
      'the prefix is the source’s own rows: what is erased there is erased in the fork, and counted once',
    async run(t) {
      await t.create('source', { events: 3, refs: [{ kind: 'message', id: 'm', seq: 2 }] })
      await t.fork('source', 3, 'fork', { events: 2 })
      await t.append('source', { erase: { seqs: [2], erasedBody: () => '{"erased":true}' } })
      same((await t.bodies('fork'))[1], '{"erased":true}')
      same(await t.store.deleteSession(t.tenant, 'fork', { cascade: false }), {
        status: 'deleted',
        sessions: ['fork'],
        events: 2,
      })
      same(await t.seqs('source'), [1, 2, 3, 4])
    },
  },
  {
    id: 'F3.1',
    clause: 'F3',
    title: 'what the source, or the middle of a chain, says later is not seen by the fork',
    async run(t) {
      await family(t)
      await t.append('a', { events: 2 })
      await t.append('b', { events: 3 })
      await t.append('c', { events: 1 })
      same(await t.bodies('d'), dBodies)
      same((await t.store.readHead(t.tenant, 'd'))?.seq, 10)
    },
  },
  {
    id: 'F4.1',
    clause: 'F4',
    title: 'a session that others are based on is not deleted alone',
    async run(t) {
      await family(t)
      sameSet(await t.store.listForks(t.tenant, 'a'), ['b', 'c', 'd', 'e'])
      sameSet(await t.store.listForks(t.tenant, 'b'), ['c', 'd'])
      same(await t.store.listForks(t.tenant, 'd'), [])
      await t.unchanged(async () => {
        const outcome = await t.store.deleteSession(t.tenant, 'b', { cascade: false })
        same(outcome.status, 'has_forks')
        sameSet(outcome.status === 'has_forks' ? outcome.forks : [], ['c', 'd'])
      })
    },
  },
  {
    id: 'F4.2',
    clause: 'F4',
    title: 'with cascade a session goes with all that is based on it, and nothing else',
    async run(t) {
      await family(t)
      await t.create('bystander')
      const outcome = await t.store.deleteSession(t.tenant, 'b', { cascade: true })
      same(outcome.status, 'deleted')
      if (outcome.status !== 'deleted') return
      sameSet(outcome.sessions, ['b', 'c', 'd'])
      same(outcome.events, 4 + 3 + 2)
      same(await t.seqs('a'), [1, 2, 3, 4, 5])
      same(await t.seqs('e'), [1, 2, 3])
      same(await t.seqs('bystander'), [1])
      sameSet(await t.store.listForks(t.tenant, 'a'), ['e'])
      for (const id of ['b', 'c', 'd']) {
        same(await t.store.readHead(t.tenant, id), undefined)
        await t.refuse(t.creation(id), { status: 'id_taken' })
      }
    },
  },
  {
    id: 'F4.3',
    clause: 'F4',
    title: 'once its forks are gone a session can be deleted alone',
    async run(t) {
      await t.create('source')
      await t.fork('source', 1, 'fork')
      await t.store.deleteSession(t.tenant, 'fork', { cascade: false })
      same((await t.store.deleteSession(t.tenant, 'source', { cascade: false })).status, 'deleted')
    },
  },
  {
    id: 'F5.1',
    clause: 'F5',
    title: 'a fork of a session that is missing, deleted or too short is refused',
    async run(t) {
      await t.create('source', { events: 3 })
      await t.create('gone')
      await t.store.deleteSession(t.tenant, 'gone', { cascade: false })
      const refused = async (sessionId: string, to: number) => {
        const segments = [{ sessionId, from: 1, to }]
        await t.refuse(t.creation('fork', { segments }), { status: 'source_missing' })
      }
      await refused('missing', 1)
      await refused('gone', 1)
      await refused('source', 4)
      same((await t.fork('source', 3, 'fork')).firstSeq, 4)
    },
  },
  {
    id: 'F5.2',
    clause: 'F5',
    title: 'one bad segment of several refuses the fork',
    async run(t) {
      await family(t)
      const segments = await t.segmentsOf('b', 7)
      const [first = never, second = never] = segments
      const bad = [first, { ...second, to: 8 }]
      await t.refuse(t.creation('fork', { segments: bad }), { status: 'source_missing' })
      const lost = [{ ...first, sessionId: 'lost' }, second]
      await t.refuse(t.creation('fork', { segments: lost }), { status: 'source_missing' })
      await t.create('fork', { segments })
    },
  },
  {
    id: 'F5.3',
    clause: 'F5',
    title: 'a fork that was decided before an erasure in its source is refused; one decided after it is not',
    async run(t) {
      await t.create('source', { events: 3 })
      const segments = (headSeq: number) => [{ sessionId: 'source', from: 1, to: 2, headSeq }]
      await t.create('before', { segments: segments(3) })
      await t.append('source', { erase: { seqs: [3], erasedBody: () => '{"erased":true}' } })
      await t.refuse(t.creation('fork', { segments: segments(3) }), { status: 'source_missing' })
      await t.append('source')
      await t.refuse(t.creation('fork', { segments: segments(3) }), { status: 'source_missing' })
      await t.create('fork', { segments: segments(4) })
      same(await t.store.readSegments(t.tenant, 'fork'), [{ sessionId: 'source', from: 1, to: 2 }])
    },
  },
  {
    id: 'F6.1',
    clause: 'F6',
    title: 'refs of the prefix are found through the fork, those after it are not, and its own come after',
    async run(t) {
      const ref = (seq: number) => ({ kind: 'call', id: 'c', seq })
      await t.create('a', { events: 5, refs: [ref(1), ref(3), ref(4)] })
      await t.fork('a', 3, 'b', { events: 3, refs: [ref(5), ref(6)] })
      await t.append('a', { refs: [ref(6)] })
      await t.fork('b', 5, 'c', { refs: [ref(6)] })
      same(await t.store.readRefs(t.tenant, 'a', 'call', 'c'), [1, 3, 4, 6])
      same(await t.store.readRefs(t.tenant, 'b', 'call', 'c'), [1, 3, 5, 6])
      same(await t.store.readRefs(t.tenant, 'c', 'call', 'c'), [1, 3, 5, 6])
    },
  },
  {
    id: 'F6.2',
    clause: 'F6',
    title: 'attachments of the prefix are found through the fork, those after it are not',
    async run(t) {
      const [early, middle, late] = [attachmentOf('early'), attachmentOf('middle'), attachmentOf('late')]
      const own = attachmentOf('own')
      await t.create('a', { events: 2, attachments: [early] })
      await t.append('a', { events: 3, attachments: [middle] })
      await t.append('a', { attachments: [late] })
      await t.fork('a', 4, 'b', { attachments: [own] })
      await t.fork('b', 5, 'c')
      const found = async (sessionId: string) => {
        const reads = [early, middle, late, own].map(({ hash }) =>
          t.store.readAttachment(t.tenant, sessionId, hash),
        )
        return (await Promise.all(reads)).map((bytes) => bytes && Buffer.from(bytes).toString())
      }
      same(await found('a'), ['early', 'middle', 'late', undefined])
      same(await found('b'), ['early', 'middle', undefined, 'own'])
      same(await found('c'), ['early', 'middle', undefined, 'own'])
    },
  },
  {
    id: 'F6.3',
    clause: 'F6',
    title: 'an attachment that comes again later is still found from where it first came',
    async run(t) {
      const again = attachmentOf('twice')
      await t.create('a', { attachments: [again] })
      await t.append('a', { attachments: [again] })
      await t.fork('a', 1, 'b')
      same(await t.store.readAttachment(t.tenant, 'b', again.hash), Buffer.from('twice'))
    },
  },
]

async function sessionDump(t: Trial, sessionId: string): Promise<unknown> {
  const { tenants } = (await t.dump()) as { tenants: Record<string, Record<string, unknown>> }
  return tenants[t.tenant]?.[`session ${sessionId}`]
}
