/** Bugs in commits, keys and leases. */
import type { Commit, CommitOutcome, Store } from '../../store.ts'
import type { Mutant } from './mutant.ts'

/** Changes each commit before it is judged. */
function commitAs(store: Store, change: (commit: Commit) => Promise<Commit> | Commit): Partial<Store> {
  return {
    async commit(commits) {
      const outcomes: CommitOutcome[] = []
      for (const commit of commits) outcomes.push(...(await store.commit([await change(commit)])))
      return outcomes
    },
  }
}

/** Changes each outcome after the commit was judged. */
function answerAs(
  store: Store,
  change: (outcome: CommitOutcome, commit: Commit) => Promise<CommitOutcome> | CommitOutcome,
): Partial<Store> {
  return {
    async commit(commits) {
      const changed: CommitOutcome[] = []
      for (const commit of commits) {
        for (const outcome of await store.commit([commit])) changed.push(await change(outcome, commit))
      }
      return changed
    },
  }
}

function without(commit: Commit, member: 'key' | 'epoch' | 'lease'): Commit {
  const { [member]: _, ...rest } = commit
  return rest
}

async function seqOf(store: Store, { tenantId, sessionId }: Commit): Promise<number> {
  return (await store.readHead(tenantId, sessionId))?.seq ?? 0
}

export const commitMutants: readonly Mutant[] = [
  {
    clause: 'C1',
    title: 'keeps a cache of heads for each handle',
    breaks: (store) => {
      const cache = new Map<string, ReturnType<Store['readHead']>>()
      return {
        readHead(tenantId, sessionId) {
          const name = `${tenantId} ${sessionId}`
          const head = cache.get(name) ?? store.readHead(tenantId, sessionId)
          cache.set(name, head)
          return head
        },
      }
    },
  },
  {
    clause: 'C2',
    title: 'leaves the key of a refused commit behind',
    breaks: (store, { memory }) => ({
      ...answerAs(store, (outcome, commit) => {
        if (commit.key && outcome.status === 'conflict') {
          memory.set(commit.key.key, { hash: commit.key.hash, firstSeq: 1, lastSeq: 1 })
        }
        return outcome
      }),
      async readKey(tenantId, sessionId, key) {
        const left = memory.get(key) as Awaited<ReturnType<Store['readKey']>>
        return (await store.readKey(tenantId, sessionId, key)) ?? left
      },
    }),
  },
  {
    clause: 'C2',
    title: 'writes the parts of a replayed commit',
    breaks: (store) =>
      answerAs(store, async (outcome, commit) => {
        if (outcome.status !== 'replayed') return outcome
        const baseSeq = await seqOf(store, commit)
        await store.commit([without(without({ ...commit, create: false, baseSeq }, 'key'), 'lease')])
        return outcome
      }),
  },
  {
    clause: 'C3',
    title: 'counts seqs from 0',
    breaks: (store) => ({
      async readEvents(tenantId, sessionId, range) {
        const events = await store.readEvents(tenantId, sessionId, range)
        return events.map((event) => ({ ...event, seq: event.seq - 1 }))
      },
    }),
  },
  {
    clause: 'C3',
    title: 'writes the events of a commit in the wrong order',
    breaks: (store) => commitAs(store, (commit) => ({ ...commit, events: commit.events.toReversed() })),
  },
  {
    clause: 'C4',
    title: 'ignores the base',
    breaks: (store) =>
      commitAs(store, async (commit) =>
        commit.create ? commit : { ...commit, baseSeq: await seqOf(store, commit) },
      ),
  },
  {
    clause: 'C4',
    title: 'answers a conflict with the wrong seq',
    breaks: (store) =>
      answerAs(store, (outcome, commit) =>
        outcome.status === 'conflict' ? { ...outcome, seq: commit.baseSeq } : outcome,
      ),
  },
  {
    clause: 'C5',
    title: 'lets one refused commit fail the whole batch',
    breaks: (store) => ({
      async commit(commits) {
        const [refused] = await store.commit([...commits].slice(1, 2))
        if (refused && refused.status !== 'committed') return commits.map(() => refused)
        return store.commit(commits)
      },
    }),
  },
  {
    clause: 'C5',
    title: 'judges every commit of a batch by the state before it',
    breaks: (store) => ({
      async commit(commits) {
        const seen = new Set<string>()
        const outcomes: CommitOutcome[] = []
        for (const commit of commits) {
          const early: CommitOutcome = { status: 'conflict', seq: 0 }
          outcomes.push(seen.has(commit.sessionId) ? early : ((await store.commit([commit]))[0] ?? early))
          seen.add(commit.sessionId)
        }
        return outcomes
      },
    }),
  },
  {
    clause: 'C6',
    title: 'checks the base and then writes without a lock',
    breaks: (store) => ({
      async commit(commits) {
        const [commit] = commits
        const seq = commit && (await seqOf(store, commit))
        if (!commit || commit.create || commits.length > 1 || seq !== commit.baseSeq)
          return store.commit(commits)
        await new Promise((resolve) => setImmediate(resolve))
        return store.commit([{ ...commit, baseSeq: await seqOf(store, commit) }])
      },
    }),
  },
  {
    clause: 'C7',
    title: 'forgets which ids were deleted',
    breaks: (store) =>
      answerAs(store, async (outcome, commit) => {
        if (outcome.status !== 'id_taken' || (await seqOf(store, commit)) > 0) return outcome
        const lease = { epoch: 0, owner: undefined, expiresAtMs: undefined }
        return { status: 'committed', firstSeq: 1, lastSeq: commit.events.length, lease }
      }),
  },
  {
    clause: 'C7',
    title: 'takes the case of ids lightly',
    breaks: (store) =>
      commitAs(store, (commit) => ({ ...commit, sessionId: commit.sessionId.toLocaleLowerCase('en') })),
  },
  ...(
    [
      ['normalises text', (body) => body.normalize('NFC')],
      ['keeps bodies as parsed JSON', (body) => JSON.stringify(JSON.parse(body))],
      ['cuts bodies at the size that is kept aside', (body) => body.slice(0, 8_192)],
      ['loses lone and odd code units', (body) => body.replace(/[\ufdd0-\uffff]/g, '\ufffd')],
    ] satisfies [string, (body: string) => string][]
  ).map(
    ([title, damage]): Mutant => ({
      clause: 'C8',
      title,
      breaks: (store) => ({
        async readEvents(tenantId, sessionId, range) {
          const events = await store.readEvents(tenantId, sessionId, range)
          return events.map((event) => ({ ...event, body: damage(event.body) }))
        },
      }),
    }),
  ),
  {
    clause: 'C9',
    title: 'gives each event a commit id of its own',
    breaks: (store) => ({
      async readEvents(tenantId, sessionId, range) {
        const events = await store.readEvents(tenantId, sessionId, range)
        return events.map((event) => ({ ...event, commitId: `${event.commitId}-${event.seq}` }))
      },
    }),
  },
  {
    clause: 'K1',
    title: 'drops the check of keys',
    breaks: (store) => commitAs(store, (commit) => without(commit, 'key')),
  },
  {
    clause: 'K1',
    title: 'replays a key only on its own base',
    breaks: (store) =>
      answerAs(store, (outcome, commit) => {
        if (outcome.status !== 'replayed' || outcome.firstSeq === commit.baseSeq + 1) return outcome
        return { status: 'conflict', seq: outcome.lastSeq }
      }),
  },
  {
    clause: 'K1',
    title: 'checks the epoch before the key',
    breaks: (store) =>
      answerAs(store, async (outcome, commit) => {
        const lease = (await store.readHead(commit.tenantId, commit.sessionId))?.lease
        const isStale = commit.epoch !== undefined && commit.epoch !== lease?.epoch
        return isStale ? { status: 'fenced', epoch: lease?.epoch ?? 0 } : outcome
      }),
  },
  {
    clause: 'K2',
    title: 'replays a key whatever its hash',
    breaks: (store) =>
      answerAs(store, (outcome) =>
        outcome.status === 'key_conflict' ? { status: 'replayed', firstSeq: 1, lastSeq: 1 } : outcome,
      ),
  },
  ...(['session', 'tenant'] as const).map(
    (scope): Mutant => ({
      clause: 'K3',
      title: `does not scope keys to the ${scope}`,
      breaks: (store, { memory }) => ({
        async commit(commits) {
          const outcomes: CommitOutcome[] = []
          for (const commit of commits) {
            const owner = scope === 'session' ? commit.tenantId : commit.sessionId
            const name = JSON.stringify([owner, commit.key?.key])
            const isUsed = commit.key !== undefined && memory.has(name)
            if (commit.key) memory.set(name, true)
            outcomes.push(...(isUsed ? [{ status: 'key_conflict' } as const] : await store.commit([commit])))
          }
          return outcomes
        },
      }),
    }),
  ),
  {
    clause: 'K4',
    title: 'forgets a key when its time is past',
    breaks: (store) =>
      commitAs(store, async (commit) => {
        await store.sweepKeys(store.now(), 1_000)
        return commit
      }),
  },
  {
    clause: 'K4',
    title: 'sweeps without a limit',
    breaks: (store) => ({ sweepKeys: (atMs) => store.sweepKeys(atMs, 1_000) }),
  },
  {
    clause: 'K4',
    title: 'sweeps one millisecond early',
    breaks: (store) => ({ sweepKeys: (atMs, limit) => store.sweepKeys(atMs + 1, limit) }),
  },
  {
    clause: 'K5',
    title: 'uses up the key of a fenced commit',
    breaks: (store, { memory }) => ({
      async commit(commits) {
        const outcomes: CommitOutcome[] = []
        for (const commit of commits) {
          const [outcome] = memory.has(`${commit.key?.key}`)
            ? [{ status: 'key_conflict' } as const]
            : await store.commit([commit])
          if (outcome?.status === 'fenced') memory.set(`${commit.key?.key}`, true)
          if (outcome) outcomes.push(outcome)
        }
        return outcomes
      },
    }),
  },
  {
    clause: 'K6',
    title: 'lists every key with the seq of the first',
    breaks: (store) => ({
      async listKeys(tenantId, sessionId, query) {
        const rows = await store.listKeys(tenantId, sessionId, query)
        return rows.map((row) => ({ ...row, firstSeq: rows[0]?.firstSeq ?? 0 }))
      },
    }),
  },
  {
    clause: 'K6',
    title: 'begins every list of keys anew',
    breaks: (store) => ({
      listKeys: (tenantId, sessionId, { limit }) => store.listKeys(tenantId, sessionId, { limit }),
    }),
  },
  {
    clause: 'L1',
    title: 'never counts the epoch past one',
    breaks: (store) => ({
      async readHead(tenantId, sessionId) {
        const head = await store.readHead(tenantId, sessionId)
        return head && { ...head, lease: { ...head.lease, epoch: Math.min(head.lease.epoch, 1) } }
      },
      ...answerAs(store, (outcome) =>
        outcome.status === 'committed'
          ? { ...outcome, lease: { ...outcome.lease, epoch: Math.min(outcome.lease.epoch, 1) } }
          : outcome,
      ),
    }),
  },
  {
    clause: 'L1',
    title: 'sets the end of a lease by another clock',
    breaks: (store, world) => ({
      async commit(commits) {
        world.skewMs = 5
        return store.commit(commits).finally(() => {
          world.skewMs = 0
        })
      },
    }),
  },
  {
    clause: 'L1',
    title: 'takes a free lease from whatever epoch was read',
    breaks: (store) =>
      commitAs(store, async (commit) => {
        const head = await store.readHead(commit.tenantId, commit.sessionId)
        if (commit.lease?.type !== 'take' || !head || head.lease.owner) return commit
        return { ...commit, lease: { ...commit.lease, fromEpoch: head.lease.epoch } }
      }),
  },
  {
    clause: 'L2',
    title: 'gives a held lease away',
    breaks: (store, world) => ({
      async commit(commits) {
        world.skewMs = 60_001
        return store.commit(commits).finally(() => {
          world.skewMs = 0
        })
      },
    }),
  },
  {
    clause: 'L2',
    title: 'never gives a lost lease away',
    breaks: (store) =>
      commitAs(store, async (commit) => {
        const lease = (await store.readHead(commit.tenantId, commit.sessionId))?.lease
        if (commit.lease?.type === 'take' && lease?.owner !== undefined) {
          await store.renewLease(commit.tenantId, commit.sessionId, lease.epoch, 60_000)
        }
        return commit
      }),
  },
  {
    clause: 'L8',
    title: 'forgets that a session is due',
    breaks: (store) =>
      commitAs(store, (commit) => {
        if (commit.lease?.type === 'due') return without(commit, 'lease')
        return commit.lease?.type === 'release' ? { ...commit, lease: { type: 'release' } } : commit
      }),
  },
  {
    clause: 'L3',
    title: 'ignores the epoch',
    breaks: (store) =>
      commitAs(store, (commit) => (commit.lease?.type === 'release' ? commit : without(commit, 'epoch'))),
  },
  {
    clause: 'L3',
    title: 'lets an epoch write after its release',
    breaks: (store) =>
      commitAs(store, async (commit) => {
        const lease = (await store.readHead(commit.tenantId, commit.sessionId))?.lease
        const isReleased = lease?.owner === undefined && lease?.epoch === commit.epoch
        return isReleased ? without(commit, 'epoch') : commit
      }),
  },
  {
    clause: 'L4',
    title: 'renews for any epoch',
    breaks: (store) => ({
      async renewLease(tenantId, sessionId, _, ttlMs) {
        const epoch = (await store.readHead(tenantId, sessionId))?.lease.epoch ?? 0
        return store.renewLease(tenantId, sessionId, epoch, ttlMs)
      },
    }),
  },
  {
    clause: 'L5',
    title: 'resets the epoch at a release',
    breaks: (store) => ({
      async readHead(tenantId, sessionId) {
        const head = await store.readHead(tenantId, sessionId)
        if (!head || head.lease.owner !== undefined) return head
        return { ...head, lease: { ...head.lease, epoch: 0 } }
      },
    }),
  },
  {
    clause: 'L5',
    title: 'lets anyone release',
    breaks: (store) =>
      commitAs(store, async (commit) => {
        const lease = (await store.readHead(commit.tenantId, commit.sessionId))?.lease
        return commit.lease?.type === 'release' && lease ? { ...commit, epoch: lease.epoch } : commit
      }),
  },
  {
    clause: 'L6',
    title: 'fences every commit without the epoch of the holder',
    breaks: (store) =>
      commitAs(store, async (commit) => {
        const lease = (await store.readHead(commit.tenantId, commit.sessionId))?.lease
        return lease?.owner === undefined || commit.epoch !== undefined ? commit : { ...commit, epoch: 0 }
      }),
  },
  {
    clause: 'L7',
    title: 'lets a lease that was lost once be taken in spite of its renewal',
    breaks: (store) => ({
      async renewLease(tenantId, sessionId, epoch) {
        return (await store.readHead(tenantId, sessionId))?.lease.epoch === epoch
      },
    }),
  },
  {
    clause: 'L7',
    title: 'releases a lease as lost that was renewed',
    breaks: (store) =>
      commitAs(store, (commit) =>
        commit.lease?.type === 'release' ? { ...commit, lease: { type: 'release' } } : commit,
      ),
  },
]
