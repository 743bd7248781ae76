/** L: who may write to a run. */
import type { CommitOutcome, LeaseRow } from '../../store.ts'
import type { StoreCase } from '../case.ts'
import { committed, same } from '../expect.ts'
import type { Trial } from '../trial.ts'

const ttlMs = 60_000
const release = { type: 'release' } as const

function take(fromEpoch: number, owner = 'worker') {
  return { type: 'take', fromEpoch, owner, ttlMs } as const
}

async function isRefusedAsHeld(t: Trial, fromEpoch: number, lease: LeaseRow): Promise<void> {
  const seq = (await t.seqs('s')).length
  await t.refuse(t.commit('s', seq, { lease: take(fromEpoch, 'thief') }), { status: 'lease_held', lease })
}

export const leaseCases: readonly StoreCase[] = [
  {
    id: 'L1.1',
    clause: 'L1',
    title: 'a new session has epoch 0 and no owner; taking the lease gives epoch 1',
    async run(t) {
      const free = { epoch: 0, owner: undefined, expiresAtMs: undefined }
      same((await t.create('s')).lease, free)
      same(await t.lease('s'), free)
      const held = { epoch: 1, owner: 'worker', expiresAtMs: t.clock.now() + ttlMs }
      same((await t.append('s', { lease: take(0) })).lease, held)
      same(await t.lease('s'), held)
    },
  },
  {
    id: 'L1.2',
    clause: 'L1',
    title: 'each taking raises the epoch by one, and the end follows the store’s clock',
    async run(t) {
      await t.create('s')
      for (let epoch = 1; epoch <= 4; epoch += 1) {
        t.clock.advance(12_345)
        const owner = `worker ${epoch}`
        const { lease } = await t.append('s', { lease: take(epoch - 1, owner) })
        same(lease, { epoch, owner, expiresAtMs: t.clock.now() + ttlMs })
        await t.append('s', { epoch, lease: release })
      }
    },
  },
  {
    id: 'L1.3',
    clause: 'L1',
    title: 'the lease can be taken by the commit that creates the session',
    async run(t) {
      same((await t.create('s', { lease: take(0) })).lease.epoch, 1)
      committed(await t.send(t.commit('s', 1, { epoch: 1 })))
    },
  },
  {
    id: 'L1.4',
    clause: 'L1',
    title: 'a free lease is not taken from an epoch that is not its own',
    async run(t) {
      await t.createHeld('s')
      const { lease } = await t.append('s', { epoch: 1, lease: release })
      for (const fromEpoch of [0, 2, 9]) await isRefusedAsHeld(t, fromEpoch, lease)
      same((await t.append('s', { lease: take(1) })).lease.epoch, 2)
    },
  },
  {
    id: 'L2.1',
    clause: 'L2',
    title: 'a held lease is refused to others until its end is past, then it is given',
    async run(t) {
      const lease = await t.createHeld('s')
      await isRefusedAsHeld(t, 1, lease)
      t.clock.advance(ttlMs - 1)
      await isRefusedAsHeld(t, 1, lease)
      t.clock.advance(2)
      const taken = await t.append('s', { lease: take(1, 'heir') })
      same(taken.lease, { epoch: 2, owner: 'heir', expiresAtMs: t.clock.now() + ttlMs })
    },
  },
  {
    id: 'L2.2',
    clause: 'L2',
    title: 'a lease can be taken from the moment that it is listed as due',
    async run(t) {
      await t.createHeld('s')
      t.clock.advance(ttlMs)
      same(await t.store.listDue(t.tenant, 'lease', t.store.now(), 10), ['s'])
      same((await t.append('s', { lease: take(1) })).lease.epoch, 2)
    },
  },
  {
    id: 'L2.3',
    clause: 'L2',
    title: 'the owner itself cannot take what it holds',
    async run(t) {
      const lease = await t.createHeld('s')
      const own = t.commit('s', 2, { lease: take(1, 'worker'), epoch: 1 })
      await t.refuse(own, { status: 'lease_held', lease })
    },
  },
  {
    id: 'L2.4',
    clause: 'L2',
    title: 'of two that take a lost lease at once one gets it',
    async run(t) {
      await t.createHeld('s')
      t.clock.advance(ttlMs + 1)
      const takers = ['a', 'b'].map((owner) => t.send(t.commit('s', 2, { lease: take(1, owner) })))
      const outcomes = await Promise.all(takers)
      same(outcomes.filter(({ status }) => status === 'committed').length, 1)
      same((await t.lease('s'))?.epoch, 2)
    },
  },
  {
    id: 'L3.1',
    clause: 'L3',
    title: 'a commit with an epoch that is older, newer or of a free lease is fenced',
    async run(t) {
      await t.create('s')
      for (const epoch of [0, 1]) await t.refuse(t.commit('s', 1, { epoch }), { status: 'fenced', epoch: 0 })
      await t.take('s', 0)
      for (const epoch of [0, 2]) await t.refuse(t.commit('s', 2, { epoch }), { status: 'fenced', epoch: 1 })
      committed(await t.send(t.commit('s', 2, { epoch: 1 })))
    },
  },
  {
    id: 'L3.2',
    clause: 'L3',
    title: 'after release, and after a takeover, the old epoch is fenced',
    async run(t) {
      await t.createHeld('s')
      await t.append('s', { epoch: 1, lease: release })
      await t.refuse(t.commit('s', 3, { epoch: 1 }), { status: 'fenced', epoch: 1 })
      await t.take('s', 1)
      t.clock.advance(ttlMs + 1)
      await t.take('s', 2, 'heir')
      await t.refuse(t.commit('s', 5, { epoch: 2 }), { status: 'fenced', epoch: 3 })
      await t.refuse(t.commit('s', 5, { epoch: 2, lease: release }), { status: 'fenced', epoch: 3 })
      committed(await t.send(t.commit('s', 5, { epoch: 3 })))
    },
  },
  {
    id: 'L3.3',
    clause: 'L3',
    title: 'an epoch is judged before the base: a worker that lost its lease learns that first',
    async run(t) {
      await t.createHeld('s')
      await t.refuse(t.commit('s', 0, { epoch: 5 }), { status: 'fenced', epoch: 1 })
      await t.refuse(t.commit('s', 0, { epoch: 1 }), { status: 'conflict', seq: 2 })
    },
  },
  {
    id: 'L3.4',
    clause: 'L3',
    title: 'a lease past its end that nobody took still lets its owner write',
    async run(t) {
      await t.createHeld('s')
      t.clock.advance(ttlMs * 2)
      committed(await t.send(t.commit('s', 2, { epoch: 1 })))
    },
  },
  {
    id: 'L4.1',
    clause: 'L4',
    title: 'renewal moves the end of the current epoch and nothing else',
    async run(t) {
      await t.createHeld('s')
      t.clock.advance(1_000)
      same(await t.store.renewLease(t.tenant, 's', 1, 5_000), true)
      same(await t.lease('s'), { epoch: 1, owner: 'worker', expiresAtMs: t.clock.now() + 5_000 })
      same(await t.seqs('s'), [1, 2])
    },
  },
  {
    id: 'L4.2',
    clause: 'L4',
    title: 'renewal of another epoch, a free lease or a missing session is refused and changes nothing',
    async run(t) {
      await t.createHeld('s')
      await t.unchanged(async () => {
        for (const epoch of [0, 2]) same(await t.store.renewLease(t.tenant, 's', epoch, 5_000), false)
        same(await t.store.renewLease(t.tenant, 'missing', 1, 5_000), false)
      })
      await t.append('s', { epoch: 1, lease: release })
      await t.unchanged(async () => same(await t.store.renewLease(t.tenant, 's', 1, 5_000), false))
    },
  },
  {
    id: 'L5.1',
    clause: 'L5',
    title: 'a release clears owner and end and keeps the epoch',
    async run(t) {
      await t.createHeld('s')
      const released = { epoch: 1, owner: undefined, expiresAtMs: undefined }
      same((await t.append('s', { epoch: 1, lease: release })).lease, released)
      same(await t.lease('s'), released)
      same(await t.store.listDue(t.tenant, 'lease', Number.MAX_SAFE_INTEGER, 10), [])
    },
  },
  {
    id: 'L5.2',
    clause: 'L5',
    title: 'a release without the matching epoch is refused',
    async run(t) {
      await t.createHeld('s')
      const fenced: CommitOutcome = { status: 'fenced', epoch: 1 }
      await t.refuse(t.commit('s', 2, { lease: release }), fenced)
      await t.refuse(t.commit('s', 2, { lease: release, epoch: 2 }), fenced)
    },
  },
  {
    id: 'L6.1',
    clause: 'L6',
    title: 'a commit without an epoch is written while another holds the lease, which it leaves as it is',
    async run(t) {
      const lease = await t.createHeld('s')
      same((await t.append('s')).lease, lease)
      same(await t.lease('s'), lease)
      committed(await t.send(t.commit('s', 3, { epoch: 1 })))
    },
  },
  {
    id: 'L7.1',
    clause: 'L7',
    title: 'a lease that was read as lost and then renewed is not taken',
    async run(t) {
      await t.createHeld('s')
      t.clock.advance(ttlMs + 1)
      same(await t.store.listDue(t.tenant, 'lease', t.store.now(), 10), ['s'])
      same(await t.store.renewLease(t.tenant, 's', 1, ttlMs), true)
      await isRefusedAsHeld(t, 1, { epoch: 1, owner: 'worker', expiresAtMs: t.clock.now() + ttlMs })
      same(await t.store.listDue(t.tenant, 'lease', t.store.now(), 10), [])
    },
  },
  {
    id: 'L7.2',
    clause: 'L7',
    title: 'a lease that was read as lost and then renewed is not released as lost',
    async run(t) {
      await t.createHeld('s')
      const lost = t.commit('s', 2, { epoch: 1, lease: { type: 'release', lost: true } })
      t.clock.advance(ttlMs)
      same(await t.store.renewLease(t.tenant, 's', 1, ttlMs), true)
      const lease = { epoch: 1, owner: 'worker', expiresAtMs: t.clock.now() + ttlMs }
      await t.refuse(lost, { status: 'lease_held', lease })
      t.clock.advance(ttlMs - 1)
      await t.refuse(lost, { status: 'lease_held', lease })
      t.clock.advance(1)
      same(committed(await t.send(lost)).lease, { epoch: 1, owner: undefined, expiresAtMs: undefined })
    },
  },
  {
    id: 'L8.1',
    clause: 'L8',
    title: 'a free lease is due when a commit says so, and no more when one says it is not',
    async run(t) {
      const due = () => t.store.listDue(t.tenant, 'lease', t.store.now(), 10)
      await t.create('s')
      const { lease } = await t.append('s', { lease: { type: 'due', isDue: true } })
      same(lease, { epoch: 0, owner: undefined, expiresAtMs: t.clock.now() })
      same(await due(), ['s'])
      await t.append('s')
      same(await due(), ['s'])
      same((await t.append('s', { lease: { type: 'due', isDue: false } })).lease.expiresAtMs, undefined)
      same(await due(), [])
    },
  },
  {
    id: 'L8.2',
    clause: 'L8',
    title: 'a release may leave the session due, and whoever takes its lease ends that',
    async run(t) {
      const due = () => t.store.listDue(t.tenant, 'lease', t.store.now(), 10)
      await t.createHeld('s')
      const { lease } = await t.append('s', { epoch: 1, lease: { type: 'release', due: true } })
      same(lease, { epoch: 1, owner: undefined, expiresAtMs: t.clock.now() })
      same(await due(), ['s'])
      await t.refuse(t.commit('s', 3, { epoch: 1 }), { status: 'fenced', epoch: 1 })
      same((await t.append('s', { lease: take(1) })).lease.owner, 'worker')
      same(await due(), [])
      await t.append('s', { epoch: 2, lease: release })
      same(await due(), [])
    },
  },
  {
    id: 'L8.3',
    clause: 'L8',
    title: 'a held lease is neither ended nor lengthened by it',
    async run(t) {
      const held = await t.createHeld('s')
      for (const isDue of [true, false]) {
        same((await t.append('s', { lease: { type: 'due', isDue } })).lease, held)
        same(await t.lease('s'), held)
      }
    },
  },
]
