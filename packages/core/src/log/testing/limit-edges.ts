/** What tests of the limits table share: a session to write to, and what it is to meet a limit. */
import { type LimitName, limits } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { Store } from '../../store/store.ts'
import type { HostCommand } from '../check-command.ts'
import type { Holdfast } from '../holdfast.ts'
import type { InitializingRun } from '../run-types.ts'
import type { ActiveSession } from '../session-types.ts'
import { eachStore, type TestPlace } from './each-store.ts'
import { user } from './messages.ts'

/** Limits that take megabytes or thousands of rows to meet: their tests are slow ones. */
export type LargeLimit =
  | 'eventBytes'
  | 'commitBytes'
  | 'attachmentBytes'
  | 'draftBytes'
  | 'pageBytes'
  | 'listScanRows'
  | 'ledgerRows'
  | 'searchIndexBytes'

export interface Scene {
  place: TestPlace
  store: Store
  holdfast: Holdfast
  /** Activated, without a run. */
  session: ActiveSession
}

export interface Edge {
  /** Given to the writes. */
  prepare(scene: Scene): Promise<unknown>
  at(scene: Scene, prepared: never): Promise<unknown>
  past(scene: Scene, prepared: never): Promise<unknown>
}

export const worker = { owner: 'worker', ttlMs: 60_000 }
export const letters = (count: number) => 'a'.repeat(count)
export const many = <T>(count: number, make: (n: number) => T) =>
  Array.from({ length: count }, (_, n) => make(n))
export const note: HostCommand = { type: 'addNote', kind: 'remark' }

/** One write, given at the limit and again with one more. */
export function edge<T>(
  limit: number,
  write: (scene: Scene, size: number, prepared: T) => Promise<unknown>,
  prepare: (scene: Scene) => Promise<T> = async () => undefined as T,
): Edge {
  return {
    prepare,
    at: (scene, prepared) => write(scene, limit, prepared),
    past: (scene, prepared) => write(scene, limit + 1, prepared),
  }
}

/** So many things of a live run, and then another one. */
export function edgeInRun(
  limit: number,
  write: (run: InitializingRun, from: number, to: number, scene: Scene) => Promise<unknown>,
): Edge {
  return {
    prepare: ({ session }) => session.startRun(worker),
    at: (scene, run) => write(run, 0, limit, scene),
    past: (scene, run) => write(run, limit, limit + 1, scene),
  }
}

/** Taken at the limit; one past it refused with the figures, and nothing written. */
export function testEdges(edges: { [L in LimitName]?: Edge }): void {
  eachStore('a limit', (place) => {
    for (const [limit, { prepare, at, past }] of Object.entries(edges)) {
      it(`${limit} is taken at its value, and one past it is refused and writes nothing`, async () => {
        const scene = await sceneOn(place)
        const prepared = (await prepare(scene)) as never
        await at(scene, prepared)
        const before = await held(scene)
        const max = limits[limit as LimitName]
        const error = await past(scene, prepared).catch((error: unknown) => error)
        expect(error).toMatchObject({ code: 'limit_exceeded', details: { limit, max } })
        const { actual } = (error as { details: { actual: number } }).details
        expect(actual).toBeGreaterThan(max)
        expect(await held(scene)).toEqual(before)
      })
    }
  })
}

export function testBounds(bounds: { [L in LimitName]?: (scene: Scene) => Promise<void> }): void {
  eachStore('a limit', (place) => {
    for (const [limit, isBound] of Object.entries(bounds)) {
      it(`${limit} is a bound`, async () => isBound(await sceneOn(place)))
    }
  })
}

export async function sceneOn(place: TestPlace): Promise<Scene> {
  let store: Store | undefined
  const holdfast = await place.open({
    wrap(opened) {
      store = opened
      return opened
    },
  })
  const session = await (await holdfast.sessions.create({ agentId: 'agent' })).activate()
  return { place, store: store as Store, holdfast, session }
}

/** Seqs of all sessions, and what is kept beside them. */
async function held({ store, holdfast, session }: Scene): Promise<unknown> {
  const heads = await store.listHeads(holdfast.tenantId, { index: 'all', limit: 100 })
  return {
    heads: heads.map(({ sessionId, seq, body, lease }) => ({ sessionId, seq, body, lease })),
    seeds: await holdfast.seeds.list(),
    drafts: await store.listDrafts(holdfast.tenantId, session.id),
  }
}

/** Bytes of a stored user message beside its text. */
export async function overhead({ store, holdfast, session }: Scene): Promise<number> {
  const { lastSeq = 0 } = await session.append(user(''))
  const range = { after: lastSeq - 1, limit: 1, maxBytes: 1, direction: 'forward' } as const
  const [row] = await store.readEvents(holdfast.tenantId, session.id, range)
  return row?.body.length ?? 0
}
