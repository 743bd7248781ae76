/**
 * Every row of the hostile inputs through the engine: the same code in the same words on every store and nothing
 * written, or accepted and read back as the row says.
 */
import { isDeepStrictEqual } from 'node:util'
import { HoldfastError, type Json, type JsonObject, scanText } from '@holdfast/protocol'
import { type HostileInput, type HostileTarget, hostileInputs } from '@holdfast/protocol/hostile'
import { expect, it } from 'vitest'
import { dump } from '../store/conformance/dump.ts'
import { Names } from '../store/conformance/names.ts'
import type { Store } from '../store/store.ts'
import type { NewMessage } from './check-input.ts'
import type { Holdfast } from './holdfast.ts'
import type { CreatedSession } from './session-types.ts'
import { withCommit } from './testing/between.ts'
import { eachStore, type TestPlace } from './testing/each-store.ts'
import { assistant, calling, result, user } from './testing/messages.ts'

interface Scene {
  holdfast: Holdfast
  session: CreatedSession
  /** Everything that the store holds, these keys included if it has them. */
  stored(keys?: readonly string[]): Promise<unknown>
}

/** Gives the input to the engine and then reads back what came of it. */
type Operation = (scene: Scene, input: never, key: string) => Promise<unknown>

const operations: Record<HostileTarget, Operation> = {
  async create({ holdfast: { sessions } }, input, key) {
    const { id } = await sessions.create(input, { key })
    return sessions.get(id)
  },
  append: ({ session }, input, key) => append(session, input, key),
  async append_text({ session }, input, key) {
    return append(session, scanText(input, 'eventBytes', 'message') as never, key)
  },
  async metadata({ session }, input, key) {
    await session.replaceMetadata(input, { key })
    return (await session.view()).metadata
  },
  async rename({ session }, input, key) {
    await session.rename(input, { key })
    return (await session.view()).title
  },
  get: ({ holdfast }, input) => holdfast.sessions.open(input),
  async usage({ session, holdfast }, input, key) {
    await session.recordUsage(input, { key })
    return (await holdfast.usage.list(session.id)).rows.at(-1)
  },
  async tasks({ session }, input, key) {
    await session.setTasks(input, { key })
    return (await session.view()).taskList
  },
  async question({ session }, input, key) {
    await session.ask(input, { key })
    return (await session.view()).openQuestion
  },
  read: ({ session }, input) => session.follow({ after: input }).next(),
  list: ({ holdfast }, input) => holdfast.sessions.list({}, { after: input }),
  fork: ({ session }, input, key) => session.fork({}, { atSeq: input, key }),
}

async function append(session: CreatedSession, input: NewMessage, key: string): Promise<unknown> {
  await session.append(input, { key })
  return (await session.messages({ limit: 1 })).messages[0]
}

const refused = hostileInputs.filter(({ expect }) => 'code' in expect)
const accepted = hostileInputs.filter(({ expect }) => 'accepted' in expect)
const targets = [...new Set(hostileInputs.map(({ target }) => target))]
const of = (rows: readonly HostileInput[], target: HostileTarget) =>
  rows.filter((row) => row.target === target)

/** What each refusal said on the store that came first. */
const said = new Map<HostileInput, unknown>()

eachStore('hostile input', (place) => {
  for (const target of targets) {
    it(`is refused by ${target} with its code, and nothing is written`, async () => {
      const scene = await sceneOn(place)
      const outcomes: Record<string, unknown> = {}
      const before = await scene.stored(of(refused, target).map(keyOf))
      for (const row of of(refused, target)) {
        outcomes[row.name] = await codeOf(row, scene)
        if (!isDeepStrictEqual(await scene.stored(), before)) outcomes[row.name] = 'something was written'
      }
      const codes = of(refused, target).map(({ name, expect }) => [name, 'code' in expect && expect.code])
      expect(outcomes).toEqual(Object.fromEntries(codes))
    })
  }

  for (const target of targets.filter((target) => of(accepted, target).length > 0)) {
    it(`that is harmless is taken by ${target} and reads back`, async () => {
      const scene = await sceneOn(place)
      const differing: Record<string, unknown> = {}
      for (const row of of(accepted, target)) {
        const session = await scene.holdfast.sessions.create({ agentId: 'agent' })
        const given = row.input()
        const read = await operations[target]({ ...scene, session }, given as never, keyOf(row))
        if (!isAsGiven(read, expectedOf(target, given))) differing[row.name] = read
      }
      expect(differing).toEqual({})
    })
  }
})

const note = { type: 'addNote' as const, kind: 'a' }

/** What a program without types may hand in, beside the bodies of the table. */
const strangeArguments: Record<string, (scene: Scene) => unknown> = {
  'commands that are a string': ({ session }) => session.batch('abc' as never),
  'a command that is null': ({ session }) => session.batch([null as never]),
  'a command of an unknown type': ({ session }) => session.batch([{ type: '__proto__' } as never]),
  'an idempotency key with a space': ({ session }) => session.rename('a', { key: 'a b' }),
  'an actor of an unknown kind': ({ session }) => session.rename('a', { actor: { kind: 'god' } as never }),
  'a time in words': ({ session }) => session.rename('a', { at: 'yesterday' }),
  'a fork of null': ({ session }) => session.fork(null as never),
  'a fork with an unknown field': ({ session }) => session.fork({ colour: 'red' } as never),
  'a fork with a field of sessions only': ({ session }) => session.fork({ pinned: true } as never),
  'a fork with an empty title': ({ session }) => session.fork({ title: '' }),
  'a fork that slides in words': ({ session }) => session.fork({ ttlSliding: 'yes' as never }),
  'a file that is a string': ({ session }) =>
    session.putAttachment({ bytes: 'abc' as never, mediaType: 'a/b' }),
  'a media type that is a number': ({ session }) => {
    return session.putAttachment({ bytes: new Uint8Array(1), mediaType: 5 as never })
  },
  'channels that are null': ({ session }) => session.putCheckpoint({ channels: null as never }),
  'a channel that is undefined': ({ session }) =>
    session.putCheckpoint({ channels: { a: undefined as never } }),
  'a namespace with a lone surrogate': ({ session }) => {
    return session.putCheckpoint({ channels: { a: 1 }, namespace: '\ud800' })
  },
  'a lease of no owner': ({ session }) => session.startRun({ owner: ' ', ttlMs: 1_000 }),
  'a lease without end': ({ session }) => session.startRun({ owner: 'w', ttlMs: Number.POSITIVE_INFINITY }),
  'a time that is a number': ({ session }) => session.batch([note], { at: 5 as never }),
  'a time that is null': ({ session }) => session.batch([note], { at: null as never }),
  'a time that is empty, in a list': ({ session }) => session.batch([note], { at: [''] }),
  'a time that is null, in a list': ({ session }) => session.batch([note], { at: [null as never] }),
  'times for more than there is': ({ session }) => session.batch([note], { at: [undefined, undefined] }),
  'times for less than there is': ({ session }) => session.batch([note, note], { at: [undefined] }),
  'times for a session': ({ holdfast }) => holdfast.sessions.create({ agentId: 'a' }, { at: [undefined] }),
  'a search for a number': ({ holdfast }) => holdfast.search(5 as never),
  'a search for a lone surrogate': ({ holdfast }) => holdfast.search('a\ud800'),
  'a search from nowhere': ({ holdfast }) => holdfast.search('a', { offset: Number.NaN }),
  'a page of no size': ({ session }) => session.events({ limit: 0 }),
  'a page from before the beginning': ({ session }) => session.events({ after: -1 }),
  'an unknown filter': ({ holdfast }) => holdfast.sessions.list({ colour: 'red' } as never),
  'a filter by a time in words': ({ holdfast }) => holdfast.sessions.list({ updatedSince: 'yesterday' }),
  'an agent that is null': ({ holdfast }) => holdfast.agents.put('a', null as never),
  'an agent with a blank id': ({ holdfast }) => holdfast.agents.put(' ', { name: 'a' }),
  'erasing a seq in words': ({ holdfast, session }) => holdfast.sessions.erase(session.id, ['1' as never]),
  'erasing a message without a name': ({ holdfast, session }) =>
    holdfast.sessions.eraseMessage(session.id, ' '),
  'forgetting nobody': ({ holdfast }) => holdfast.eraseUser(undefined as never),
  'forgetting a blank': ({ holdfast }) => holdfast.eraseUser(' '),
  'deleting nothing': ({ holdfast }) => holdfast.sessions.delete(undefined as never),
  'deleting the empty id': ({ holdfast }) => holdfast.sessions.delete(''),
  'erasing in no session': ({ holdfast }) => holdfast.sessions.erase(undefined as never, [1]),
  'erasing a message in no session': ({ holdfast }) => holdfast.sessions.eraseMessage('', 'm'),
  'a hold in words': ({ session }) => session.hold('yes' as never),
  'a hold for a reason without end': ({ session }) => session.hold(true, { reason: 'x'.repeat(1_025) }),
  'pruning by an unknown filter': ({ holdfast }) =>
    holdfast.prune({ filter: { colour: 'red' } as never, keepNewest: 1 }),
  'a misspelt dry run': ({ holdfast }) => holdfast.prune({ keepNewest: 0, dryrun: true } as never),
  'pruning by nothing': ({ holdfast }) => holdfast.prune({}),
  'pruning by an age in words': ({ holdfast }) => holdfast.prune({ olderThanMs: '1d' as never }),
  'pruning down to less than none': ({ holdfast }) => holdfast.prune({ keepNewest: -1 }),
  'pruning none at a time': ({ holdfast }) => holdfast.prune({ keepNewest: 0, limit: 0 }),
}

eachStore('an argument that is none', (place) => {
  it('is invalid input, and nothing is written', async () => {
    const scene = await sceneOn(place)
    const outcomes: Record<string, unknown> = {}
    const before = await scene.stored()
    for (const [name, call] of Object.entries(strangeArguments)) {
      outcomes[name] = await Promise.resolve()
        .then(() => call(scene))
        .then(
          () => 'accepted',
          (error: unknown) => (error instanceof HoldfastError ? error.code : error),
        )
      if (!isDeepStrictEqual(await scene.stored(), before)) outcomes[name] = 'something was written'
    }
    expect(outcomes).toEqual(Object.fromEntries(Object.keys(outcomes).map((name) => [name, 'invalid_input'])))
  })

  it('of a draft is invalid input', async () => {
    const { session } = await sceneOn(place)
    const draft = (await session.startRun({ owner: 'w', ttlMs: 1_000 })).draft()
    for (const chunk of [5, { kind: 'thought', text: 'a' }, { kind: 'text', text: null }]) {
      expect(() => draft.write(chunk as never)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
    }
  })

  it('leaves no checkpoint behind when its event is refused', async () => {
    const { session } = await sceneOn(place)
    await session.putCheckpoint({ checkpointId: 'kept', channels: { a: 1 } }, { key: 'k' })
    const refused = session.putCheckpoint({ checkpointId: 'other', channels: { a: 2 } }, { key: 'k' })
    await expect(refused).rejects.toMatchObject({ code: 'key_conflict' })
    await session.close()
    const late = session.putCheckpoint({ checkpointId: 'late', channels: { a: 3 } })
    await expect(late).rejects.toMatchObject({ code: 'session_closed' })
    expect(await session.getCheckpoint()).toMatchObject({ checkpointId: 'kept', channels: { a: 1 } })
  })

  it('repeated with its key names the same checkpoint', async () => {
    const { session } = await sceneOn(place)
    const first = await session.putCheckpoint({ channels: { a: 1 } }, { key: 'k' })
    const again = await session.putCheckpoint({ channels: { a: 1 } }, { key: 'k' })
    expect(again).toEqual({ ...first, replayed: true })
  })
})

async function codeOf(row: HostileInput, scene: Scene): Promise<unknown> {
  try {
    await operations[row.target](scene, row.input() as never, keyOf(row))
    return 'accepted'
  } catch (error) {
    if (!(error instanceof HoldfastError)) return error
    const { code, message, details } = error
    const words = { code, message, details }
    if (!said.has(row)) said.set(row, words)
    if (!isDeepStrictEqual(said.get(row), words)) return { ...words, elsewhere: said.get(row) }
    return message.length > 500 ? `${message.length} characters of message` : code
  }
}

/** Idempotency keys are short and plain; names of rows need not be. */
function keyOf({ target, name }: HostileInput): string {
  return `${target}-${hostileInputs.findIndex((row) => row.target === target && row.name === name)}`
}

/** What reads back after JSON: without what is undefined, −0 as 0; null for a life without end. */
function expectedOf(target: HostileTarget, given: unknown): Json {
  const plain = JSON.parse(
    JSON.stringify(target === 'append_text' ? JSON.parse(given as string) : given),
  ) as Json
  if (target !== 'create') return plain
  return Object.fromEntries(Object.entries(plain as JsonObject).filter(([, value]) => value !== null))
}

/** Each field as it was given; what reads back has more of them. A whole metadata object has no more. */
function isAsGiven(read: unknown, given: Json): boolean {
  if (typeof given !== 'object' || given === null) return isDeepStrictEqual(read, given)
  return Object.entries(given).every(([field, value]) => {
    return isDeepStrictEqual((read as Record<string, unknown>)[field], value)
  })
}

/** A session with something of everything, so that a refused write could change something. */
async function sceneOn(place: TestPlace): Promise<Scene> {
  const names = new Names()
  const opened: Store[] = []
  const holdfast = await place.open({
    wrap(store) {
      opened.push(store)
      return withCommit((commits, commit) => {
        for (const commit of commits) names.noteCommit(commit)
        return commit(commits)
      })(store)
    },
  })
  const session = await holdfast.sessions.create({
    agentId: 'agent',
    ownerUserId: 'user',
    title: 'A title',
    ttlSecs: 3_600,
    metadata: { a: 1 },
  })
  await session.batch([
    { type: 'append', message: user('look', { id: 'm1' }) },
    { type: 'append', message: calling('call-1') },
    { type: 'append', message: result('call-1') },
    { type: 'append', message: assistant('seen') },
    { type: 'setTasks', list: { title: 'Tasks', items: [] } },
  ])
  await session.recordUsage({ attemptId: 'before', promptTokens: 3, completionTokens: 2 })
  const stored = (keys: readonly string[] = []) => {
    for (const key of keys) names.keys.add(key)
    return dump(opened[0] as Store, names)
  }
  return { holdfast, session, stored }
}
