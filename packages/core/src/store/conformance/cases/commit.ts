/** C: what a commit promises. */
import assert from 'node:assert/strict'
import { limits } from '@holdfast/protocol'
import type { CommitOutcome } from '../../store.ts'
import { at, attachmentOf, bodyOf, bodyOfBytes, headFor, usageOf } from '../build.ts'
import type { StoreCase } from '../case.ts'
import { committed, same } from '../expect.ts'
import { hostileBodies, hostileIds } from '../hostile.ts'
import type { CommitPart, Trial } from '../trial.ts'

const file = attachmentOf('a small file')

const key = { key: 'key', hash: 'hash', expiresAtMs: 9_999_999_999_999 }

/** One of everything that a creation can carry. */
function content(sessionId: string, seq: number): CommitPart {
  return {
    events: [bodyOf(sessionId, seq)],
    head: { ownerUserId: 'owner', questionAskedAtMs: 5, questionExpiresAtMs: 6, expiresAtMs: 7, activity: 9 },
    parts: [{ part: 'tasks', body: '["changed"]' }],
    refs: [{ kind: 'message', id: 'm1', seq }],
    usage: [{}],
    attachments: [file],
    waypoint: true,
    dropDrafts: ['draft'],
  }
}

/** The same with a key, and with a lease that is to be taken from epoch 1. */
function everything(sessionId: string, seq: number): CommitPart {
  const lease = { type: 'take', fromEpoch: 1, owner: 'thief', ttlMs: 1_000 } as const
  return { ...content(sessionId, seq), key, lease }
}

/** A session with a held lease, a part, a draft, a used key and three events. */
async function rich(t: Trial): Promise<void> {
  await t.create('s', { parts: [{ part: 'tasks', body: '["first"]' }] })
  await t.take('s', 0)
  await t.append('s', { key: { key: 'used', hash: 'hash', expiresAtMs: 9_999_999_999_999 } })
  same(await t.appendDraft(t.draft('s', 1, ['chunk'])), { status: 'written' })
}

async function refusesWhole(
  t: Trial,
  baseSeq: number,
  part: CommitPart,
  expected: CommitOutcome,
): Promise<void> {
  await rich(t)
  await t.refuse(t.commit('s', baseSeq, { ...everything('s', baseSeq + 1), ...part }), expected)
}

export const commitCases: readonly StoreCase[] = [
  {
    id: 'C1.1',
    clause: 'C1',
    title: 'a resolved commit is read back at once, in every part of it',
    async run(t) {
      const bodies = ['{"n":1}', '{"n":2}']
      const lease = { type: 'take', fromEpoch: 0, owner: 'worker', ttlMs: 1_000 } as const
      const outcome = await t.create('s', { ...content('s', 2), key, lease, events: bodies, commitId: 'c1' })
      const held = { epoch: 1, owner: 'worker', expiresAtMs: t.clock.now() + 1_000 }
      same(outcome, { status: 'committed', firstSeq: 1, lastSeq: 2, lease: held })

      const head = { sessionId: 's', seq: 2, body: headFor('s', 2).body, lease: held }
      const common = { type: 'note.added', v: 1, at, commitId: 'c1' }
      same(await t.store.readHead(t.tenant, 's'), head)
      same(await t.events('s'), [
        { seq: 1, body: bodies[0], ...common },
        { seq: 2, body: bodies[1], ...common },
      ])
      same(await t.store.readParts(t.tenant, 's', ['tasks']), new Map([['tasks', '["changed"]']]))
      same(await t.store.readRefs(t.tenant, 's', 'message', 'm1'), [2])
      same(await t.store.readUsage(t.tenant, 's', 0, 10), [usageOf('s', 1)])
      same(await t.store.readAttachment(t.tenant, 's', file.hash), Buffer.from(file.bytes))
      same(await t.store.readKey(t.tenant, 's', 'key'), { hash: 'hash', firstSeq: 1, lastSeq: 2 })
      same(await t.store.readWaypoint(t.tenant, 's', 2), { seq: 2, body: head.body })
      same(await t.store.listHeads(t.tenant, { index: 'owner', value: 'owner', limit: 9 }), [
        { ...head, key: 9 },
      ])
      same(await t.store.listDue(t.tenant, 'question', 6, 9), ['s'])
    },
  },
  {
    id: 'C1.2',
    clause: 'C1',
    title: 'another handle reads a resolved commit at once',
    needs: ['another'],
    async run(t) {
      const other = await t.another()
      await rich(t)
      assert.deepEqual(await t.dump(other), await t.dump())
      committed(await t.send(t.commit('s', 3), other))
      assert.deepEqual(await t.seqs('s'), [1, 2, 3, 4])
      assert.deepEqual(await t.dump(other), await t.dump())
    },
  },
  {
    id: 'C1.3',
    clause: 'C1',
    title: 'before any commit there is nothing',
    async run(t) {
      same(await t.store.readHead(t.tenant, 's'), undefined)
      same(await t.events('s'), [])
      same(await t.store.listHeads(t.tenant, { index: 'all', limit: 10 }), [])
      same(await t.store.listTenants(), [])
      assert.ok(t.store.commitLanes >= 1)
      assert.ok(t.store.info().engine.length > 0)
      assert.equal(t.store.now(), t.clock.now())
    },
  },
  {
    id: 'C1.4',
    clause: 'C1',
    title: 'a later commit replaces the head with all its columns, and clears those it leaves out',
    async run(t) {
      await t.create('s', content('s', 1))
      await t.append('s')
      same((await t.store.readHead(t.tenant, 's'))?.body, headFor('s', 2).body)
      same(await t.store.listHeads(t.tenant, { index: 'owner', value: 'owner', limit: 9 }), [])
      same(await t.store.listHeads(t.tenant, { index: 'question', limit: 9 }), [])
      same(await t.store.listDue(t.tenant, 'question', 10, 9), [])
      same(await t.store.listDue(t.tenant, 'expiry', 10, 9), [])
    },
  },
  {
    id: 'C2.1',
    clause: 'C2',
    title: 'a commit on a stale base leaves nothing behind',
    run: (t) => refusesWhole(t, 2, {}, { status: 'conflict', seq: 3 }),
  },
  {
    id: 'C2.2',
    clause: 'C2',
    title: 'a fenced commit leaves nothing behind',
    run: (t) => refusesWhole(t, 3, { epoch: 7 }, { status: 'fenced', epoch: 1 }),
  },
  {
    id: 'C2.3',
    clause: 'C2',
    title: 'a commit that cannot take the lease leaves nothing behind',
    run: (t) => {
      const lease = { epoch: 1, owner: 'worker', expiresAtMs: t.clock.now() + 60_000 }
      return refusesWhole(t, 3, {}, { status: 'lease_held', lease })
    },
  },
  {
    id: 'C2.4',
    clause: 'C2',
    title: 'a commit whose key was used otherwise leaves nothing behind',
    run: (t) => {
      const key = { key: 'used', hash: 'other', expiresAtMs: 9_999_999_999_999 }
      return refusesWhole(t, 3, { key }, { status: 'key_conflict' })
    },
  },
  {
    id: 'C2.5',
    clause: 'C2',
    title: 'a replayed commit leaves nothing behind',
    run: (t) => {
      const key = { key: 'used', hash: 'hash', expiresAtMs: 9_999_999_999_999 }
      return refusesWhole(t, 3, { key }, { status: 'replayed', firstSeq: 3, lastSeq: 3 })
    },
  },
  {
    id: 'C2.6',
    clause: 'C2',
    title: 'a creation under a taken id leaves nothing behind',
    run: (t) => refusesWhole(t, 0, { create: true }, { status: 'id_taken' }),
  },
  {
    id: 'C2.7',
    clause: 'C2',
    title: 'a refused creation leaves no session, not even a tenant',
    async run(t) {
      const segments = [{ sessionId: 'nowhere', from: 1, to: 3 }]
      const refused = t.creation('s', { ...content('s', 4), key, segments })
      await t.refuse(refused, { status: 'source_missing' })
      await t.refuse(t.commit('s', 0), { status: 'conflict', seq: 0 })
      same(await t.store.listTenants(), [])
    },
  },
  {
    id: 'C2.8',
    clause: 'C2',
    title: 'a refused erasure erases nothing',
    async run(t) {
      await rich(t)
      const erase = { seqs: [1], erasedBody: () => '{"erased":true}' }
      await t.refuse(t.commit('s', 1, { erase }), { status: 'conflict', seq: 3 })
    },
  },
  {
    id: 'C3.1',
    clause: 'C3',
    title: 'one event or many, seqs go on from the base without a gap',
    async run(t) {
      same(await t.create('s', { events: 1 }), { status: 'committed', firstSeq: 1, lastSeq: 1, lease: free })
      same(await t.append('s', { events: 5 }), { status: 'committed', firstSeq: 2, lastSeq: 6, lease: free })
      same(await t.append('s', { events: 1 }), { status: 'committed', firstSeq: 7, lastSeq: 7, lease: free })
      same(await t.seqs('s'), [1, 2, 3, 4, 5, 6, 7])
      same(
        await t.bodies('s'),
        [1, 2, 3, 4, 5, 6, 7].map((seq) => bodyOf('s', seq)),
      )
      same((await t.store.readHead(t.tenant, 's'))?.seq, 7)
    },
  },
  {
    id: 'C3.2',
    clause: 'C3',
    title: 'the largest number of events of one commit keeps its order',
    async run(t) {
      const bodies = Array.from({ length: limits.commitEvents }, (_, index) => `{"n":${index}}`)
      await t.create('s', { events: bodies })
      same(await t.bodies('s'), bodies)
      same((await t.events('s')).at(-1)?.seq, limits.commitEvents)
    },
  },
  {
    id: 'C3.3',
    clause: 'C3',
    title: 'sessions count apart',
    async run(t) {
      await t.create('a', { events: 3 })
      await t.create('b', { events: 2 })
      await t.append('a')
      same(await t.seqs('a'), [1, 2, 3, 4])
      same(await t.seqs('b'), [1, 2])
    },
  },
  {
    id: 'C4.1',
    clause: 'C4',
    title: 'a base before or after the head is refused with the head’s seq',
    async run(t) {
      await t.create('s', { events: 3 })
      for (const baseSeq of [0, 1, 2, 4, 100]) {
        await t.refuse(t.commit('s', baseSeq), { status: 'conflict', seq: 3 })
      }
      committed(await t.send(t.commit('s', 3)))
    },
  },
  {
    id: 'C4.2',
    clause: 'C4',
    title: 'a commit to a session that does not exist, or no more, is refused with seq 0',
    async run(t) {
      await t.refuse(t.commit('s', 0), { status: 'conflict', seq: 0 })
      await t.refuse(t.commit('s', 5), { status: 'conflict', seq: 0 })
      await t.create('gone', { events: 2 })
      await t.store.deleteSession(t.tenant, 'gone', { cascade: false })
      await t.refuse(t.commit('gone', 2), { status: 'conflict', seq: 0 })
    },
  },
  {
    id: 'C1.5',
    clause: 'C1',
    title: 'reads at every step of a write disturb neither the write nor themselves',
    async run(t) {
      await t.create('s', { refs: [{ kind: 'message', id: 'm', seq: 1 }] })
      const record = { kind: 'agent', id: 'a', key: undefined, body: '{}' }
      const writes = [t.store.putRecord(t.tenant, record, 0), t.send(t.commit('s', 1))]
      const reads: Promise<unknown>[] = []
      for (let step = 0; step < 50; step += 1) {
        reads.push(t.store.readRefs(t.tenant, 's', 'message', 'm'))
        await undefined
      }
      for (const read of await Promise.all(reads)) same(read, [1])
      same(
        (await Promise.all(writes)).map(({ status }) => status),
        ['written', 'committed'],
      )
      same(await t.seqs('s'), [1, 2])
      same((await t.store.readRecord(t.tenant, 'agent', 'a'))?.version, 1)
    },
  },
  {
    id: 'C5.1',
    clause: 'C5',
    title: 'a refused commit in the middle of a batch fails none of its neighbours',
    async run(t) {
      await t.create('a', { events: 2 })
      const outcomes = await t.sendAll([
        t.commit('a', 2),
        t.commit('a', 2, everything('a', 3)),
        t.creation('a'),
        t.commit('missing', 4),
        t.creation('b', { events: 2 }),
        t.commit('a', 3, { epoch: 9 }),
        t.commit('a', 3),
      ])
      same(
        outcomes.map(({ status }) => status),
        ['committed', 'conflict', 'id_taken', 'conflict', 'committed', 'fenced', 'committed'],
      )
      same(outcomes[1], { status: 'conflict', seq: 3 })
      same(await t.seqs('a'), [1, 2, 3, 4])
      same(await t.seqs('b'), [1, 2])
      same(await t.store.readKey(t.tenant, 'a', 'key'), undefined)
      same(await t.store.readRefs(t.tenant, 'a', 'message', 'm1'), [])
    },
  },
  {
    id: 'C5.2',
    clause: 'C5',
    title: 'later commits of a batch see earlier ones: base, key, lease, fork source, taken id',
    async run(t) {
      const key = { key: 'k', hash: 'h', expiresAtMs: 9_999_999_999_999 }
      const take = { type: 'take', fromEpoch: 0, owner: 'w', ttlMs: 1_000 } as const
      const outcomes = await t.sendAll([
        t.creation('s', { key }),
        t.creation('s', { key }),
        t.creation('s'),
        t.commit('s', 1, { lease: take }),
        t.commit('s', 2, { lease: take }),
        t.commit('s', 2, { epoch: 1 }),
        t.creation('f', { segments: [{ sessionId: 's', from: 1, to: 3 }] }),
      ])
      same(
        outcomes.map(({ status }) => status),
        ['committed', 'replayed', 'id_taken', 'committed', 'lease_held', 'committed', 'committed'],
      )
      same(await t.seqs('f'), [1, 2, 3, 4])
    },
  },
  {
    id: 'C5.3',
    clause: 'C5',
    title: 'a batch of a thousand commits is answered one for one',
    async run(t) {
      const commits = Array.from({ length: 1_000 }, (_, index) => {
        const sessionId = `s${index % 100}`
        const turn = Math.floor(index / 100)
        return t.commit(sessionId, turn, { create: turn === 0 })
      })
      const outcomes = await t.sendAll(commits)
      same([...new Set(outcomes.map(({ status }) => status))], ['committed'])
      for (const sessionId of ['s0', 's57', 's99']) {
        same(await t.seqs(sessionId), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      }
    },
  },
  {
    id: 'C5.4',
    clause: 'C5',
    title: 'an empty batch has an empty answer',
    async run(t) {
      same(await t.sendAll([]), [])
    },
  },
  {
    id: 'C5.5',
    clause: 'C5',
    title: 'the very same commit twice in a batch has an answer for each place',
    async run(t) {
      await t.create('s')
      const keyed = t.commit('s', 1, { key: { key: 'k', hash: 'h', expiresAtMs: 9_999_999_999_999 } })
      const outcomes = await t.sendAll([keyed, keyed])
      same(
        outcomes.map(({ status }) => status),
        ['committed', 'replayed'],
      )
      const plain = t.commit('s', 2)
      const again = await t.sendAll([plain, plain])
      same(
        again.map(({ status }) => status),
        ['committed', 'conflict'],
      )
      same(await t.seqs('s'), [1, 2, 3])
    },
  },
  {
    id: 'C5.6',
    clause: 'C5',
    title: 'a batch of two tenants is answered for both, under equal names too',
    async run(t) {
      const theirs = { tenantId: t.stranger }
      const outcomes = await t.sendAll([
        t.creation('s', { events: 2 }),
        t.creation('s', { events: 3, ...theirs }),
        t.commit('s', 2),
        t.commit('s', 3, theirs),
        t.commit('s', 2, theirs),
      ])
      same(
        outcomes.map(({ status }) => status),
        ['committed', 'committed', 'committed', 'committed', 'conflict'],
      )
      same(await t.seqs('s'), [1, 2, 3])
      same((await t.store.readHead(t.stranger, 's'))?.seq, 4)
    },
  },
  {
    id: 'C5.7',
    clause: 'C5',
    title: 'an earlier commit of a batch does not see a later one: a fork beyond what its source has by then',
    async run(t) {
      await t.create('s', { events: 2 })
      const fork = t.creation('f', { segments: [{ sessionId: 's', from: 1, to: 3 }] })
      const outcomes = await t.sendAll([fork, t.commit('s', 2)])
      same(
        outcomes.map(({ status }) => status),
        ['source_missing', 'committed'],
      )
    },
  },
  {
    id: 'C6.1',
    clause: 'C6',
    title: 'of many writers on one base through one handle exactly one is committed',
    async run(t) {
      await t.create('s')
      await race(t, [t.store, t.store, t.store, t.store])
    },
  },
  {
    id: 'C6.2',
    clause: 'C6',
    title: 'of two writers on one base through two handles exactly one is committed, round after round',
    needs: ['another'],
    async run(t) {
      const other = await t.another()
      await t.create('s')
      for (let round = 0; round < 20; round += 1) await race(t, [t.store, other])
    },
  },
  {
    id: 'C6.3',
    clause: 'C6',
    title: 'two handles creating one session at once make one',
    needs: ['another'],
    async run(t) {
      const other = await t.another()
      const outcomes = await Promise.all([t.send(t.creation('s')), t.send(t.creation('s'), other)])
      same(outcomes.map(({ status }) => status).sort(), ['committed', 'id_taken'])
      same(await t.seqs('s'), [1])
    },
  },
  {
    id: 'C7.1',
    clause: 'C7',
    title: 'an id that exists cannot be created',
    async run(t) {
      await t.create('s')
      await t.refuse(t.creation('s', everything('s', 1)), { status: 'id_taken' })
    },
  },
  {
    id: 'C7.2',
    clause: 'C7',
    title: 'an id that was deleted cannot be created again, as a fork neither',
    async run(t) {
      await t.create('s')
      await t.create('source')
      await t.store.deleteSession(t.tenant, 's', { cascade: false })
      await t.refuse(t.creation('s'), { status: 'id_taken' })
      const segments = [{ sessionId: 'source', from: 1, to: 1 }]
      await t.refuse(t.creation('s', { segments }), { status: 'id_taken' })
    },
  },
  {
    id: 'C7.3',
    clause: 'C7',
    title: 'ids that look alike to SQL are different ids',
    async run(t) {
      for (const id of hostileIds) await t.create(id)
      for (const id of hostileIds) {
        same(await t.bodies(id), [bodyOf(id, 1)])
        await t.append(id)
        same((await t.store.readHead(t.tenant, id))?.seq, 2, id)
      }
      same((await t.store.listHeads(t.tenant, { index: 'all', limit: 100 })).length, hostileIds.length)
    },
  },
  {
    id: 'C8.1',
    clause: 'C8',
    title: 'hostile text comes back as it was written: in events, heads, parts and waypoints',
    async run(t) {
      const parts = hostileBodies.map((body, index) => ({ part: `part ${index}`, body }))
      await t.create('s', { events: hostileBodies, parts })
      same(await t.bodies('s'), hostileBodies)
      const read = await t.store.readParts(
        t.tenant,
        's',
        parts.map(({ part }) => part),
      )
      same(
        parts.map(({ part }) => read.get(part)),
        hostileBodies,
      )
      for (const body of hostileBodies) {
        const { lastSeq } = await t.append('s', { head: { body }, waypoint: true })
        same((await t.store.readHead(t.tenant, 's'))?.body, body)
        same((await t.store.readWaypoint(t.tenant, 's', lastSeq))?.body, body)
      }
    },
  },
  {
    id: 'C8.2',
    clause: 'C8',
    title: 'bodies around the size that is kept aside come back whole, in whatever characters',
    async run(t) {
      const sizes = [-1, 0, 1].map((step) => limits.asideBytes + step)
      const bodies = sizes.flatMap((size) =>
        ['x', 'é', '中', '😀'].map((filler) => bodyOfBytes(size, filler)),
      )
      await t.create('s', { events: [...bodies, ...bodies] })
      same(await t.bodies('s'), [...bodies, ...bodies])
    },
  },
  {
    id: 'C8.3',
    clause: 'C8',
    title: 'the largest body comes back whole',
    async run(t) {
      const body = bodyOfBytes(limits.eventBytes, '中')
      assert.equal(Buffer.byteLength(body), limits.eventBytes)
      await t.create('s', { events: ['{}', body, '{}'] })
      const read = await t.bodies('s')
      assert.ok(read[1] === body, 'the body differs')
      same([read[0], read[2]], ['{}', '{}'])
    },
  },
  {
    id: 'C8.4',
    clause: 'C8',
    title: 'type, version and time of an event come back as they were written',
    async run(t) {
      const commit = t.creation('s')
      const events = [
        { type: 'note.added', v: 1, at: '0001-01-01T00:00:00Z', body: '1' },
        { type: 'x.unknown-élan', v: 2_147_483_647, at: '9999-12-31T23:59:59.999999Z', body: '{}' },
      ]
      committed(await t.send({ ...commit, events }))
      same(
        await t.events('s'),
        events.map((event, index) => ({ ...event, seq: index + 1, commitId: commit.commitId })),
      )
    },
  },
  {
    id: 'C9.1',
    clause: 'C9',
    title: 'each event tells which commit wrote it, so a commit sent twice is known by its own row',
    async run(t) {
      await t.create('s', { events: 2, commitId: 'first' })
      const commit = t.commit('s', 2, { events: 2, commitId: 'second' })
      committed(await t.send(commit))
      await t.refuse(commit, { status: 'conflict', seq: 4 })
      same(
        (await t.events('s')).map(({ commitId }) => commitId),
        ['first', 'first', 'second', 'second'],
      )
    },
  },
]

const free = { epoch: 0, owner: undefined, expiresAtMs: undefined }

/** Every store sends one commit on the same base, all at once. */
async function race(t: Trial, stores: readonly Trial['store'][]): Promise<void> {
  const before = await t.events('s')
  const commits = stores.map(() => t.commit('s', before.length, { events: 2 }))
  const outcomes = await Promise.all(commits.map((commit, index) => t.send(commit, stores[index])))
  const statuses = outcomes.map(({ status }) => status).sort()
  same(statuses, ['committed', ...Array.from({ length: stores.length - 1 }, () => 'conflict')])
  const winner = commits[outcomes.findIndex(({ status }) => status === 'committed')]
  const added = (await t.events('s')).slice(before.length)
  same(
    added.map(({ commitId }) => commitId),
    [winner?.commitId, winner?.commitId],
  )
}
