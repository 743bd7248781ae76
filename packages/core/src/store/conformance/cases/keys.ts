/** K: idempotency keys. */
import type { Commit } from '../../store.ts'
import type { StoreCase } from '../case.ts'
import { committed, same } from '../expect.ts'
import { hostileIds } from '../hostile.ts'
import type { CommitPart, Trial } from '../trial.ts'

const hour = 3_600_000

function keyOf(t: Trial, hash = 'hash', key = 'key'): NonNullable<Commit['key']> {
  return { key, hash, expiresAtMs: t.clock.now() + hour }
}

export const keyCases: readonly StoreCase[] = [
  {
    id: 'K1.1',
    clause: 'K1',
    title: 'a key sent again is replayed with its first seqs, on the same base or on a later one',
    async run(t) {
      const key = keyOf(t)
      await t.create('s')
      committed(await t.send(t.commit('s', 1, { key, events: 3 })))
      const replayed = { status: 'replayed', firstSeq: 2, lastSeq: 4 } as const
      await t.refuse(t.commit('s', 1, { key, events: 3 }), replayed)
      await t.append('s')
      for (const baseSeq of [0, 1, 4, 5, 99]) await t.refuse(t.commit('s', baseSeq, { key }), replayed)
    },
  },
  {
    id: 'K1.2',
    clause: 'K1',
    title: 'a creation with a key is replayed, not refused as a taken id',
    async run(t) {
      const key = keyOf(t)
      await t.create('s', { key, events: 2 })
      await t.refuse(t.creation('s', { key, events: 2 }), { status: 'replayed', firstSeq: 1, lastSeq: 2 })
    },
  },
  {
    id: 'K1.3',
    clause: 'K1',
    title: 'a key is replayed although the epoch moved on or the lease is held by another',
    async run(t) {
      const key = keyOf(t)
      await t.createHeld('s')
      committed(await t.send(t.commit('s', 2, { key, epoch: 1 })))
      committed(await t.send(t.commit('s', 3, { epoch: 1, lease: { type: 'release' } })))
      await t.take('s', 1, 'other')
      const lease = { type: 'take', fromEpoch: 1, owner: 'worker', ttlMs: 1 } as const
      const replayed = { status: 'replayed', firstSeq: 3, lastSeq: 3 } as const
      await t.refuse(t.commit('s', 2, { key, epoch: 1 }), replayed)
      await t.refuse(t.commit('s', 2, { key, lease }), replayed)
    },
  },
  {
    id: 'K1.4',
    clause: 'K1',
    title: 'a storm of one request through one handle has one effect',
    async run(t) {
      await t.create('s')
      await storm(t, [t.store])
    },
  },
  {
    id: 'K1.5',
    clause: 'K1',
    title: 'a storm of one request through two handles has one effect',
    needs: ['another'],
    async run(t) {
      await t.create('s')
      await storm(t, [t.store, await t.another()])
    },
  },
  {
    id: 'K2.1',
    clause: 'K2',
    title: 'a key sent again with another hash is refused, on every base',
    async run(t) {
      await t.create('s', { key: keyOf(t) })
      for (const baseSeq of [0, 1, 7]) {
        await t.refuse(t.commit('s', baseSeq, { key: keyOf(t, 'other') }), { status: 'key_conflict' })
      }
      await t.refuse(t.creation('s', { key: keyOf(t, 'other') }), { status: 'key_conflict' })
      same(await t.store.readKey(t.tenant, 's', 'key'), { hash: 'hash', firstSeq: 1, lastSeq: 1 })
    },
  },
  {
    id: 'K3.1',
    clause: 'K3',
    title: 'the same key in another session or at another tenant is another key',
    async run(t) {
      await t.create('s', { key: keyOf(t) })
      await t.create('other', { key: keyOf(t, 'second'), events: 2 })
      await t.create('s', { tenantId: t.stranger, key: keyOf(t, 'third'), events: 3 })
      same(await t.store.readKey(t.tenant, 's', 'key'), { hash: 'hash', firstSeq: 1, lastSeq: 1 })
      same(await t.store.readKey(t.tenant, 'other', 'key'), { hash: 'second', firstSeq: 1, lastSeq: 2 })
      same(await t.store.readKey(t.stranger, 's', 'key'), { hash: 'third', firstSeq: 1, lastSeq: 3 })
      same(await t.store.readKey(t.stranger, 'other', 'key'), undefined)
    },
  },
  {
    id: 'K3.2',
    clause: 'K3',
    title: 'keys that look alike to SQL are different keys',
    async run(t) {
      await t.create('s')
      for (const key of hostileIds) await t.append('s', { key: keyOf(t, `hash of ${key}`, key) })
      for (const [index, key] of hostileIds.entries()) {
        const seq = index + 2
        same(await t.store.readKey(t.tenant, 's', key), {
          hash: `hash of ${key}`,
          firstSeq: seq,
          lastSeq: seq,
        })
      }
    },
  },
  {
    id: 'K4.1',
    clause: 'K4',
    title: 'a key still answers after its end as long as nothing swept it',
    async run(t) {
      const key = keyOf(t)
      await t.create('s', { key })
      t.clock.advance(2 * hour)
      await t.refuse(t.commit('s', 1, { key }), { status: 'replayed', firstSeq: 1, lastSeq: 1 })
      await t.refuse(t.commit('s', 1, { key: keyOf(t, 'other') }), { status: 'key_conflict' })
    },
  },
  {
    id: 'K4.2',
    clause: 'K4',
    title: 'a sweep removes the keys that ended at or before its time, of all tenants, and no other',
    async run(t) {
      const start = t.clock.now()
      const ending = (ms: number): CommitPart => ({
        key: { key: `+${ms}`, hash: 'h', expiresAtMs: start + ms },
      })
      await t.create('s', ending(10))
      await t.append('s', ending(20))
      await t.append('s', ending(21))
      await t.create('s', { tenantId: t.stranger, ...ending(5) })
      same(await t.store.sweepKeys(start + 4, 100), 0)
      same(await t.store.sweepKeys(start + 20, 100), 3)
      same(await t.store.readKey(t.tenant, 's', '+10'), undefined)
      same(await t.store.readKey(t.tenant, 's', '+20'), undefined)
      same(await t.store.readKey(t.stranger, 's', '+5'), undefined)
      same(await t.store.readKey(t.tenant, 's', '+21'), { hash: 'h', firstSeq: 3, lastSeq: 3 })
      same(await t.store.sweepKeys(start + 20, 100), 0)
    },
  },
  {
    id: 'K4.3',
    clause: 'K4',
    title: 'a sweep stops at its limit and goes on next time; a swept key may be used anew',
    async run(t) {
      await t.create('s')
      for (const key of ['a', 'b', 'c', 'd', 'e']) await t.append('s', { key: keyOf(t, 'h', key) })
      const end = t.clock.now() + hour
      same(await t.store.sweepKeys(end, 2), 2)
      same(await t.store.sweepKeys(end, 2), 2)
      same(await t.store.sweepKeys(end, 2), 1)
      same(await t.store.sweepKeys(end, 2), 0)
      same(await t.append('s', { key: keyOf(t, 'another hash', 'a') }).then(({ lastSeq }) => lastSeq), 7)
    },
  },
  {
    id: 'K5.1',
    clause: 'K5',
    title: 'a key of a refused commit is free, whatever the refusal',
    async run(t) {
      await t.createHeld('s')
      const lease = { type: 'take', fromEpoch: 1, owner: 'thief', ttlMs: 1 } as const
      const refusals: CommitPart[] = [{ baseSeq: 1 }, { epoch: 9 }, { lease }, { create: true, baseSeq: 0 }]
      for (const [index, refusal] of refusals.entries()) {
        const key = keyOf(t, 'h', `key ${index}`)
        const baseSeq = index + 2
        const refused = await t.send(t.commit('s', baseSeq, { key, ...refusal }))
        same(['conflict', 'fenced', 'lease_held', 'id_taken'][index], refused.status)
        same(await t.store.readKey(t.tenant, 's', key.key), undefined)
        committed(await t.send(t.commit('s', baseSeq, { key: { ...key, hash: 'changed' } })))
      }
    },
  },
  {
    id: 'K6.1',
    clause: 'K6',
    title: 'keys are listed by their bytes, in pages, with what they stand for, and only the session’s own',
    async run(t) {
      const key = (name: string) => ({
        key: name,
        hash: `hash of ${name}`,
        expiresAtMs: t.clock.now() + hour,
      })
      await t.create('s', { key: key('b') })
      await t.append('s', { key: key('a'), events: 2 })
      await t.append('s')
      await t.append('s', { key: key('\u{1f600}') })
      await t.append('s', { key: key('\uff21') })
      await t.create('other', { key: key('c') })
      await t.create('s', { tenantId: t.stranger, key: key('d') })
      const row = (name: string, firstSeq: number, lastSeq = firstSeq) => ({
        ...key(name),
        firstSeq,
        lastSeq,
      })
      const all = [row('a', 2, 3), row('b', 1), row('\uff21', 6), row('\u{1f600}', 5)]
      const list = (query: { after?: string; limit: number }) => t.store.listKeys(t.tenant, 's', query)
      same(await list({ limit: 9 }), all)
      same(await list({ limit: 2 }), all.slice(0, 2))
      same(await list({ limit: 2, after: 'b' }), all.slice(2))
      await t.store.sweepKeys(t.clock.now() + hour, 9)
      same(await list({ limit: 9 }), [])
    },
  },
  {
    id: 'K6.2',
    clause: 'K6',
    title: 'a fork, a deleted session and one that is missing have no keys of another',
    async run(t) {
      await t.create('s', { key: keyOf(t), events: 2 })
      await t.fork('s', 2, 'fork')
      same(await t.store.listKeys(t.tenant, 'fork', { limit: 9 }), [])
      same(await t.store.listKeys(t.tenant, 'nowhere', { limit: 9 }), [])
      await t.store.deleteSession(t.tenant, 's', { cascade: true })
      same(await t.store.listKeys(t.tenant, 's', { limit: 9 }), [])
    },
  },
]

async function storm(t: Trial, stores: readonly Trial['store'][]): Promise<void> {
  const commit = t.commit('s', 1, { key: keyOf(t), events: 2 })
  const sends = Array.from({ length: 12 }, (_, index) => t.send(commit, stores[index % stores.length]))
  const statuses = (await Promise.all(sends)).map(({ status }) => status)
  same(statuses.filter((status) => status === 'committed').length, 1)
  same(statuses.filter((status) => status === 'replayed').length, 11)
  same(await t.seqs('s'), [1, 2, 3])
}
