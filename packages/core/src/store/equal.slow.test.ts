import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TestClock } from './conformance/clock.ts'
import type { CommitIntent, Intent, Spot } from './conformance/equal/intents.ts'
import { Pair } from './conformance/equal/pair.ts'
import type { StoreFixture } from './conformance/index.ts'
import { mutants } from './conformance/mutants/index.ts'
import { mutantFixture } from './conformance/mutants/mutant.ts'
import { memory } from './memory/index.ts'
import { TemporaryPlace } from './postgres/testing/place.ts'
import { describePostgres } from './postgres/testing/server.ts'
import { sqlite } from './sqlite/index.ts'

const wanted = Number(process.env.HOLDFAST_MODEL_COMMANDS ?? 20_000)
const seed = Number(process.env.HOLDFAST_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** How long a run is, and how many commands lie between two comparisons of everything that can be read. */
interface Pace {
  shortestRun: number
  longestRun: number
  perDump: number
}

const here: Pace = { shortestRun: 1, longestRun: 300, perDump: 60 }
/** To make a place and to read all that is in it takes as long as hundreds of commands: each of them is compared anyway. */
const onServer: Pace = { shortestRun: 600, longestRun: 600, perDump: 200 }
/** Runs at once: while the server works on one, the other is prepared and compared. */
const lanesOnServer = 2

const index = (max: number) => fc.integer({ min: 0, max })
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
const drift = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 1, 2) },
)
const along = fc.double({ min: 0, max: 1, noNaN: true })
const body = index(24)
const limit = fc.integer({ min: 1, max: 8 })
/** A few of them get most of the commands, so that logs grow and drafts are met again. */
const session = fc.oneof(index(2), index(11))
const spot: fc.Arbitrary<Spot> = fc.record({ tenant: index(1), session })

const commit: fc.Arbitrary<CommitIntent> = fc.record({
  tenant: index(1),
  session,
  mode: fc.constantFrom('append', 'append', 'append', 'append', 'append', 'append', 'create', 'fork', 'fork'),
  source: session,
  along,
  baseDrift: drift,
  bodies: fc.array(body, { minLength: 1, maxLength: 4 }),
  head: fc.record({ choice: index(11), activity: index(6), time: index(200) }),
  epoch: fc.constantFrom('none', 'none', 'none', 'none', 'none', 'none', 'current', 'stale'),
  lease: fc.constantFrom(
    'none',
    'none',
    'none',
    'none',
    'none',
    'none',
    'take',
    'take',
    'take stale',
    'release',
    'release lost',
  ),
  key: maybe(index(5)),
  keyHash: fc.constantFrom(0, 0, 0, 1),
  part: maybe(index(2)),
  partBody: maybe(body),
  ref: maybe(index(4)),
  usage: maybe(index(30)),
  attachment: maybe(index(2)),
  waypoint: fc.boolean(),
  dropDraft: maybe(index(2)),
  erase: fc.oneof(
    { weight: 15, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(along, { minLength: 1, maxLength: 3 }) },
  ),
})

const range = fc
  .record({
    after: maybe(index(12)),
    through: maybe(index(20)),
    limit: fc.integer({ min: 1, max: 12 }),
    maxBytes: fc.constantFrom(1, 30, 8_200, 16_500, 1_000_000),
    direction: fc.constantFrom('forward' as const, 'backward' as const),
  })
  .map(({ after, through, ...rest }) => ({
    ...rest,
    ...(after === undefined ? {} : { after }),
    ...(through === undefined ? {} : { through }),
  }))

const lists = fc.constantFrom('all', 'owner', 'agent', 'conversation', 'thread', 'root', 'question' as const)

function of<Do extends Intent['do']>(
  weight: number,
  name: Do,
  members: {
    [Name in Exclude<keyof Extract<Intent, { do: Do }>, 'do'>]: fc.Arbitrary<
      Extract<Intent, { do: Do }>[Name]
    >
  },
): { weight: number; arbitrary: fc.Arbitrary<Intent> } {
  const arbitrary = fc.record(members as Record<string, fc.Arbitrary<unknown>>)
  return { weight, arbitrary: arbitrary.map((rest) => ({ do: name, ...rest }) as Intent) }
}

const intent = fc.oneof(
  of(30, 'commit', { commits: fc.array(commit, { minLength: 1, maxLength: 4 }) }),
  of(3, 'renew', { spot, epochDrift: drift, ttlMs: fc.constantFrom(50, 500) }),
  of(4, 'wait', { ms: fc.constantFrom(1, 30, 100, 400) }),
  of(8, 'draft', {
    spot,
    draft: index(2),
    firstDrift: drift,
    epochDrift: drift,
    chunks: fc.array(body, { minLength: 1, maxLength: 3 }),
  }),
  of(4, 'readDraft', { spot, draft: index(2), after: index(4) }),
  of(3, 'checkpoint', {
    spot,
    thread: index(1),
    id: index(3),
    channels: fc.array(index(2), { maxLength: 3 }),
    brings: fc.boolean(),
  }),
  of(4, 'record', {
    tenant: index(1),
    kind: index(1),
    id: session,
    key: maybe(index(2)),
    body,
    versionDrift: drift,
  }),
  of(4, 'listRecords', {
    tenant: index(1),
    kind: index(1),
    key: maybe(index(2)),
    after: maybe(index(11)),
    limit,
  }),
  of(2, 'delete', { spot, cascade: fc.boolean(), seqDrift: maybe(drift) }),
  of(2, 'sweep', { limit }),
  of(8, 'read', { spot, range }),
  of(6, 'list', { tenant: index(1), index: lists, value: index(11), limit, after: index(6) }),
  of(2, 'due', {
    tenant: index(1),
    kind: fc.constantFrom('expiry', 'question', 'lease'),
    aheadMs: index(300),
    skip: fc.constantFrom(0, 0, 1, 2),
    limit,
  }),
  of(2, 'usage', { spot, after: index(12), limit }),
  of(3, 'ledger', {
    tenant: index(1),
    root: maybe(index(11)),
    owner: maybe(index(2)),
    by: fc.subarray(['rootSessionId', 'ownerUserId', 'model', 'day'] as const),
    limit,
  }),
  of(2, 'index', { maxBytes: fc.constantFrom(1, 1_000, 100_000) }),
  of(3, 'search', {
    spot,
    words: fc.array(index(7), { minLength: 1, maxLength: 2 }),
    inSession: fc.boolean(),
  }),
  of(1, 'reset', {}),
  of(1, 'scrub', {}),
)

/** What random commands must meet, or they prove little. */
const outcomes = [
  'commit committed',
  'commit conflict',
  'commit fenced',
  'commit id_taken',
  'commit key_conflict',
  'commit lease_held',
  'commit replayed',
  'commit source_missing',
  'checkpoint invalid_input',
  'checkpoint not_found',
  'delete deleted',
  'delete has_forks',
  'delete moved',
  'delete missing',
  'draft fenced',
  'draft gap',
  'draft written',
  'record conflict',
  'record written',
]

/** Runs the commands on a memory store and on another one. Rejects where they differ. */
async function compare(intents: readonly Intent[], fixture: StoreFixture, { perDump } = here): Promise<Pair> {
  const clock = new TestClock()
  const model = await memory().open({ clock: clock.now })
  const place = await fixture.open({ clock: clock.now })
  const pair = new Pair(model, place.store, clock)
  try {
    for (const [done, next] of intents.entries()) {
      await pair.run(next)
      if (done % perDump === perDump - 1) await pair.compare()
    }
    await pair.compare()
    return pair
  } finally {
    await place.dispose()
  }
}

const sqliteInMemory: StoreFixture = {
  name: 'sqlite in memory',
  async open(options) {
    const store = await sqlite(':memory:').open(options)
    return { store, dispose: () => store.close() }
  },
}

const onPostgres: StoreFixture = {
  name: 'postgres',
  async open({ clock }) {
    const place = new TemporaryPlace()
    return { store: await place.open(clock), dispose: () => place.remove() }
  },
}

const runs = (check: (intents: readonly Intent[]) => Promise<void>, { shortestRun, longestRun } = here) =>
  fc.asyncProperty(fc.array(intent, { minLength: shortestRun, maxLength: longestRun, size: 'max' }), check)

const timeout = 600_000

/** Runs commands on both until there were enough, and gives the outcomes that they met. */
async function agree(
  fixture: StoreFixture,
  { commands, from, pace }: { commands: number; from: number; pace: Pace },
): Promise<Set<string>> {
  let executed = 0
  const met = new Set<string>()
  const check = runs(async (intents) => {
    const pair = await compare(intents, fixture, pace)
    executed += intents.length
    for (const outcome of pair.met) met.add(outcome)
  }, pace)
  for (let round = 0; executed < commands; round += 1) {
    await fc.assert(check, { seed: from + round, numRuns: 5, endOnFailure: pace === onServer })
  }
  return met
}

function expectAllOutcomes(met: ReadonlySet<string>): void {
  if (wanted >= 10_000) expect(outcomes.filter((outcome) => !met.has(outcome))).toEqual([])
}

it(`memory and SQLite agree on ${wanted} random commands (HOLDFAST_SEED=${seed})`, { timeout }, async () => {
  expectAllOutcomes(await agree(sqliteInMemory, { commands: wanted, from: seed, pace: here }))
})

describePostgres('memory and Postgres', () => {
  it(`agree on ${wanted} random commands (HOLDFAST_SEED=${seed})`, { timeout }, async () => {
    const lanes = Array.from({ length: lanesOnServer }, (_, lane) =>
      agree(onPostgres, { commands: wanted / lanesOnServer, from: seed + lane * 1_000, pace: onServer }),
    )
    const met = await Promise.all(lanes)
    expectAllOutcomes(new Set(met.flatMap((some) => [...some])))
  })
})

for (const mutant of mutants.filter(({ clause }) =>
  ['C3', 'K2', 'L5', 'P1', 'D2', 'S4', 'E2'].includes(clause),
)) {
  it(`notices a store that ${mutant.title}`, { timeout }, async () => {
    const differ = runs(async (intents) => {
      await compare(intents, mutantFixture(mutant, memory))
    })
    expect((await fc.check(differ, { seed: 1, numRuns: 300, endOnFailure: true })).failed).toBe(true)
  })
}
