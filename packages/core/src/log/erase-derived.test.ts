import { expect, it } from 'vitest'
import { memory } from '../store/memory/index.ts'
import { openHoldfast } from './holdfast.ts'
import type { AnySession } from './session-types.ts'
import { withCommit } from './testing/between.ts'
import { eachStore } from './testing/each-store.ts'
import { gather } from './testing/gather.ts'
import { assistant, calling, result, textsOf, user } from './testing/messages.ts'

const secret = 'canary-4712-secret'
const file = { bytes: Buffer.from(secret), mediaType: 'text/plain' }

async function seqsOf(
  session: { events(): Promise<{ events: { seq: number; type: string }[] }> },
  type: string,
) {
  return (await session.events()).events.filter((event) => event.type === type).map(({ seq }) => seq)
}

eachStore('erasing reaches', (place) => {
  it('a file with the last event that shows it, and the note that brought it', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const reference = await session.putAttachment(file)
    const shown = { role: 'user' as const, parts: [{ type: 'file' as const, ...reference }] }
    await session.append([shown, assistant('one')])
    await session.append([shown, assistant('two')])
    const [first, , second] = await seqsOf(session, 'message.appended')
    await sessions.erase(session.id, [first as number])
    expect(Buffer.from((await session.getAttachment(reference.hash)) ?? []).toString()).toBe(secret)
    await sessions.erase(session.id, [second as number])
    expect(await session.getAttachment(reference.hash)).toBeUndefined()
    expect(JSON.stringify((await session.events()).events)).not.toContain(reference.hash)
  })

  it('no file that a fork shows, and the one of a note alone', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const reference = await session.putAttachment(file)
    const alone = await session.putAttachment({ ...file, bytes: Buffer.from('alone') })
    await session.append(user('x'))
    const fork = await session.fork()
    await fork.append({ role: 'user', parts: [{ type: 'file', ...reference }] })
    await sessions.erase(session.id, await seqsOf(session, 'note.added'))
    expect(await fork.getAttachment(reference.hash)).toBeDefined()
    expect(await session.getAttachment(alone.hash)).toBeUndefined()
  })

  it('checkpoints from there on, in forks too, and none before', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent', threadId: 'th' })
    await session.append(user('hello'))
    await session.putCheckpoint({ checkpointId: 'early', channels: { messages: ['hello'] } })
    await session.append(user(secret))
    await session.putCheckpoint({ checkpointId: 'late', channels: { messages: ['hello', secret] } })
    const fork = await session.fork()
    await fork.putCheckpoint({ checkpointId: 'of-fork', channels: { messages: ['hello', secret] } })
    await sessions.erase(session.id, (await seqsOf(session, 'message.appended')).slice(1))
    expect(await session.getCheckpoint()).toMatchObject({
      checkpointId: 'early',
      channels: { messages: ['hello'] },
    })
    expect(await fork.getCheckpoint()).toBeUndefined()
    expect(place.look('SELECT bytes FROM attachments')?.length ?? 1).toBe(1)
  })

  it('the title that a fork took over, also one within its source’s own prefix', async () => {
    const { sessions } = await place.open()
    const first = await sessions.create({ agentId: 'agent' })
    await first.append([user('one'), assistant('two')])
    const source = await first.fork()
    await source.rename(secret)
    const forks = [await source.fork(), await source.fork({}, { atSeq: 4 })]
    const named = await source.fork({ title: 'own' })
    for (const fork of forks) expect((await fork.view()).title).toBe(secret)
    await sessions.erase(source.id, await seqsOf(source, 'session.renamed'))
    for (const fork of forks) {
      expect((await fork.view()).title).toBeUndefined()
      expect(JSON.stringify((await fork.events()).events)).not.toContain(secret)
    }
    expect((await named.view()).title).toBe('own')
  })

  it('the title that a fork of a fork took over, by the same call after a crash at any commit', async () => {
    for (let most = 1; ; most++) {
      const erasures = { done: 0, most }
      const wrap = withCommit((commits, commit) => {
        if (commits[0]?.erase && ++erasures.done > erasures.most) throw new Error('the process ended')
        return commit(commits)
      })
      const { sessions } = await place.open({ wrap })
      const source = await sessions.create({ agentId: 'agent' })
      await source.rename(secret)
      const fork = await source.fork()
      const forkOfFork = await fork.fork()
      const erase = async () => sessions.erase(source.id, await seqsOf(source, 'session.renamed'))
      const isWhole = await erase().then(
        () => true,
        () => false,
      )
      if (isWhole) return expect(most).toBeGreaterThan(2)
      erasures.most = Number.POSITIVE_INFINITY
      await erase()
      for (const one of [source, fork, forkOfFork])
        expect(JSON.stringify((await one.events()).events)).not.toContain(secret)
    }
  })

  it('a summary of input where it was delivered, not where it waited', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('go'))
    const run = await session.startRun({ owner: 'w', ttlMs: 10_000 })
    await session.append(user(secret))
    const waited = (await seqsOf(session, 'message.appended'))[1] as number
    await run.append(assistant('answer'))
    await run.complete()
    await session.append(assistant('noted'))
    const [delivered] = await seqsOf(session, 'input.delivered')
    const record = {
      compactionId: 'c1',
      from: delivered as number,
      to: (await session.view()).seq,
      trigger: 'manual' as const,
      tokensBefore: 900,
      tokensAfter: 9,
      messagesCovered: 2,
    }
    await session.compact({ record, pathSeq: 0, summary: `they said ${secret}`, summaryTokens: 5 })
    await sessions.erase(session.id, [waited])
    expect((await session.view()).summary).toBeUndefined()
    expect(JSON.stringify(await session.providerView())).not.toContain(secret)
  })
})

eachStore('after an erasure', (place) => {
  it('a log is restored elsewhere, its erased summary without an id', async () => {
    const { sessions } = await openHoldfast({ store: memory(), clock: place.clock.now })
    const session = await sessions.create({ agentId: 'agent' })
    await session.append([user(secret), assistant('answer')])
    const to = (await session.view()).seq
    const figures = { tokensBefore: 900, tokensAfter: 9, messagesCovered: 2 }
    const record = { compactionId: 'c1', from: 1, to, trigger: 'manual' as const, ...figures }
    await session.compact({ record, pathSeq: 0, summary: `they said ${secret}`, summaryTokens: 5 })
    await sessions.erase(session.id, await seqsOf(session, 'message.appended'))
    const textsIn = async (one: AnySession) => (await one.eventTexts()).texts.map(({ text }) => text)
    const events = await textsIn(await sessions.open(session.id))
    const target = await place.open()
    expect(await target.sessions.restore(session.id, { events })).toMatchObject({ changed: true })
    expect(await textsIn(await target.sessions.open(session.id))).toEqual(events)
    expect(await gather(target.doctor())).toEqual([])
  })

  it('a repeated call still takes effect once, also a fork', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user(secret))
    const fork = await session.fork({}, { key: 'fork' })
    await session.append(user('pay 100'), { key: 'pay' })
    await sessions.erase(
      session.id,
      await seqsOf(session, 'message.appended').then((seqs) => seqs.slice(0, 1)),
    )
    await session.append(user('pay 100'), { key: 'pay' })
    expect(textsOf((await session.messages()).messages)).toEqual(['', 'pay 100'])
    expect((await session.fork({}, { key: 'fork' })).id).toBe(fork.id)
  })

  it('that stopped before the forks, the same call completes it', async () => {
    let isBroken = false
    const wrap = withCommit((commits, commit) => {
      if (isBroken && commits[0]?.sessionId === 'fork') throw new Error('the process ended')
      return commit(commits)
    })
    const { sessions } = await place.open({ wrap })
    const session = await sessions.create({ agentId: 'agent' })
    const { firstSeq } = await session.patchMetadata({ name: secret })
    const fork = await session.fork({ id: 'fork' })
    isBroken = true
    await expect(sessions.erase(session.id, [firstSeq as number])).rejects.toThrow()
    isBroken = false
    await sessions.erase(session.id, [firstSeq as number])
    expect(JSON.stringify(await (await sessions.open(fork.id)).view())).not.toContain(secret)
  })
})

eachStore('a file that a fork shows', (place) => {
  async function filed() {
    const { sessions } = await place.open()
    const source = await sessions.create({ agentId: 'agent' })
    const { hash, ...rest } = await source.putAttachment(file)
    const shown = { role: 'user' as const, parts: [{ type: 'file' as const, hash, ...rest }] }
    await source.append([shown, assistant('seen')])
    return { sessions, source, hash, shown }
  }
  const bytesOf = async (
    session: { getAttachment(hash: string): Promise<Uint8Array | undefined> },
    hash: string,
  ) => Buffer.from((await session.getAttachment(hash)) ?? []).toString()
  const rows = () => place.look('SELECT bytes FROM attachments')?.length

  it('is the fork’s own from its erasure in the source on, and goes with its last event there', async () => {
    const { sessions, source, hash, shown } = await filed()
    const fork = await source.fork({}, { atSeq: 2 })
    await fork.append(shown)
    const further = await fork.fork()
    await sessions.erase(source.id, await seqsOf(source, 'message.appended').then((seqs) => seqs.slice(0, 1)))
    expect(await source.getAttachment(hash)).toBeUndefined()
    for (const one of [fork, further]) expect(await bytesOf(one, hash)).toBe(secret)
    const [seq] = (await seqsOf(fork, 'message.appended')).slice(-1)
    await sessions.erase(further.id, [seq as number])
    for (const one of [fork, further]) {
      expect(await one.getAttachment(hash)).toBeUndefined()
      expect(JSON.stringify((await one.events()).events)).not.toContain(hash)
    }
    expect(rows() ?? 0).toBe(0)
  })

  it('goes with the fork that is deleted', async () => {
    const { sessions, source, hash, shown } = await filed()
    const fork = await source.fork({}, { atSeq: 2 })
    await fork.append(shown)
    await sessions.erase(source.id, await seqsOf(source, 'message.appended').then((seqs) => seqs.slice(0, 1)))
    expect(rows() ?? 1).toBe(1)
    await sessions.delete(fork.id)
    expect(rows() ?? 0).toBe(0)
    expect(await source.getAttachment(hash)).toBeUndefined()
  })

  it('goes where it was brought to when only the fork showed it', async () => {
    const { sessions } = await place.open()
    const source = await sessions.create({ agentId: 'agent' })
    const reference = await source.putAttachment(file)
    const unshown = await source.putAttachment({ ...file, bytes: Buffer.from('another') })
    await source.append(user('x'))
    const forks = [await source.fork(), await source.fork()] as const
    const shown = { role: 'user' as const, parts: [{ type: 'file' as const, ...reference }] }
    for (const fork of forks) await fork.append(shown)
    for (const fork of forks) {
      expect(await bytesOf(source, reference.hash)).toBe(secret)
      await sessions.erase(fork.id, (await seqsOf(fork, 'message.appended')).slice(-1))
    }
    expect(await source.getAttachment(reference.hash)).toBeUndefined()
    expect(JSON.stringify((await source.events()).events)).not.toContain(reference.hash)
    expect(await bytesOf(source, unshown.hash)).toBe('another')
  })

  it('that alone showed it goes with the same call after a crash between the two', async () => {
    const erasures = { done: 0, most: 1 }
    const wrap = withCommit((commits, commit) => {
      if (commits[0]?.erase && ++erasures.done > erasures.most) throw new Error('the process ended')
      return commit(commits)
    })
    const { sessions } = await place.open({ wrap })
    const source = await sessions.create({ agentId: 'agent' })
    const reference = await source.putAttachment(file)
    const fork = await source.fork()
    await fork.append({ role: 'user', parts: [{ type: 'file', ...reference }] })
    const seqs = (await seqsOf(fork, 'message.appended')).slice(-1)
    await expect(sessions.erase(fork.id, seqs)).rejects.toThrow('the process ended')
    erasures.most = Number.POSITIVE_INFINITY
    await sessions.erase(fork.id, seqs)
    for (const one of [source, fork]) {
      expect(await one.getAttachment(reference.hash)).toBeUndefined()
      expect(JSON.stringify((await one.events()).events)).not.toContain(reference.hash)
    }
    expect(rows() ?? 0).toBe(0)
  })

  it('is taken over by one that has ended, and again by the same call after a crash', async () => {
    let isBroken = false
    const wrap = withCommit((commits, commit) => {
      if (isBroken && commits[0]?.erase) throw new Error('the process ended')
      return commit(commits)
    })
    const { sessions } = await place.open({ wrap })
    const source = await sessions.create({ agentId: 'agent' })
    const reference = await source.putAttachment(file)
    const shown = { role: 'user' as const, parts: [{ type: 'file' as const, ...reference }] }
    await source.append(shown)
    const fork = await source.fork({}, { atSeq: 2 })
    await fork.append(shown)
    await fork.close()
    const [seq] = await seqsOf(source, 'message.appended')
    isBroken = true
    await expect(sessions.erase(source.id, [seq as number])).rejects.toThrow()
    isBroken = false
    await sessions.erase(source.id, [seq as number])
    expect(await bytesOf(fork, reference.hash)).toBe(secret)
    expect(await seqsOf(fork, 'note.added')).toHaveLength(2)
  })
})

eachStore('erasing a message', (place) => {
  it('by its id takes the versions that it replaced', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.append([user('kept', { id: 'first' }), user(`${secret} one`, { id: 'm1' })])
    await session.edit('m1', user(`${secret} two`, { id: 'm2' }))
    await session.edit('m2', user(`${secret} three`, { id: 'm3' }))
    const receipt = await sessions.eraseMessage(session.id, 'm3')
    expect(receipt).toMatchObject({ sessions: 1, events: 3, deletedSessions: 0 })
    expect(JSON.stringify((await session.events()).events)).not.toContain(secret)
    expect(textsOf((await session.messages()).messages)).toEqual(['kept', ''])
    expect(await sessions.eraseMessage(session.id, 'm3')).toMatchObject({ events: 0 })
  })

  it('takes the versions before one that was erased already', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.append(user(`${secret} one`, { id: 'm1' }))
    const { lastSeq = 0 } = await session.edit('m1', user('two', { id: 'm2' }))
    await sessions.erase(session.id, [lastSeq])
    expect(await sessions.eraseMessage(session.id, 'm2')).toMatchObject({ events: 1 })
    expect(JSON.stringify((await session.events()).events)).not.toContain(secret)
  })

  it('by its seq where no id was chosen, and refuses what is none', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const { firstSeq = 0 } = await session.append([user(secret), user('kept', { id: 'chosen' })])
    expect(await sessions.eraseMessage(session.id, `${firstSeq + 1}`, { scrub: false })).not.toHaveProperty(
      'finalAt',
    )
    expect(textsOf((await session.messages()).messages)).toEqual(['', 'kept'])
    for (const id of ['1', '4', '99', 'nobody']) {
      await expect(sessions.eraseMessage(session.id, id)).rejects.toMatchObject({ code: 'not_found' })
    }
    await expect(sessions.eraseMessage('nobody', 'm')).rejects.toMatchObject({ code: 'not_found' })
  })
})

eachStore('what is kept of an erased event', (place) => {
  it('has no reason, no answer of a provider and no key that somebody chose', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.append(user('x'), { key: secret })
    await session.hold(true, { reason: secret })
    await session.hold(false, { reason: secret })
    const run = await session.startRun({ owner: 'w', ttlMs: 10_000 })
    await run.batch([
      { type: 'openProviderContext', contextId: 'c', initialTokens: 1, responseId: secret },
      { type: 'invalidateProviderContext', reason: secret },
    ])
    await run.recordUsage({ attemptId: 'a', promptTokens: 1, completionTokens: 1, raw: { said: secret } })
    await run.cancel()
    await sessions.erase(session.id, [3], { reason: secret })
    const { seq } = await session.view()
    await sessions.erase(
      session.id,
      Array.from({ length: seq - 1 }, (_, n) => n + 2),
    )
    expect(JSON.stringify((await session.events()).events)).not.toContain(secret)
    expect((await session.view()).counters).toMatchObject({ promptTokens: 1, messageCount: 1 })
    expect(JSON.stringify(place.look('SELECT * FROM keys') ?? [])).not.toContain(secret)
  })
})

eachStore('forgetting a user takes', (place) => {
  it('the title and metadata of conversations whose last session it was', async () => {
    const holdfast = await place.open()
    const { sessions, conversations } = holdfast
    const about = { title: secret, metadata: { said: secret }, channel: 'slack' as const }
    for (const id of ['alone', 'shared']) await conversations.put(id, about)
    await sessions.create({ agentId: 'agent', ownerUserId: 'alice', conversationId: 'alone' })
    await sessions.create({ agentId: 'agent', ownerUserId: 'alice', conversationId: 'shared' })
    await sessions.create({ agentId: 'agent', ownerUserId: 'bob', conversationId: 'shared' })
    await holdfast.eraseUser('alice')
    expect((await conversations.get('alone'))?.body).toEqual({ channel: 'slack' })
    expect((await conversations.get('shared'))?.body).toEqual(about)
  })
})

eachStore('what copies erased content goes with it', (place) => {
  const item = { id: 'i', description: 'do', notes: secret, completionCriteria: [`${secret} met`] }

  it('an update of a task whose list is erased, and none of a later list', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const { lastSeq: list = 0 } = await session.setTasks({ items: [item, { ...item, id: 'j' }] })
    await session.updateTask({ itemId: 'i', evidence: ['seen'] })
    const fork = await session.fork()
    await fork.updateTask({ itemId: 'j', evidence: ['seen too'] })
    await fork.setTasks({ items: [{ id: 'i', description: 'another' }] })
    await fork.updateTask({ itemId: 'i', notes: 'stays' })
    await sessions.erase(session.id, [list])
    for (const { id } of [session, fork]) {
      const one = await sessions.open(id)
      expect(JSON.stringify([await one.view(), (await one.events()).events])).not.toContain(secret)
    }
    expect((await fork.view()).taskList?.items[0]).toMatchObject({ description: 'another', notes: 'stays' })
  })

  it('an update that repeats an erased one, and none of another item', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const items = [
      { id: 'i', description: 'do' },
      { id: 'j', description: 'do' },
    ]
    await session.setTasks({ items })
    const { lastSeq: said = 0 } = await session.updateTask({ itemId: 'i', notes: secret })
    await session.updateTask({ itemId: 'j', notes: 'stays' })
    await session.updateTask({ itemId: 'i', evidence: ['later'] })
    await sessions.erase(session.id, [said])
    const view = await session.view()
    expect(JSON.stringify([view, (await session.events()).events])).not.toContain(secret)
    expect(view.taskList?.items.map(({ notes }) => notes)).toEqual(['', 'stays'])
  })

  it('the ready answer of a question that nobody answered', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    const { lastSeq: asked = 0 } = await session.ask({
      questionId: 'q',
      question: 'Which?',
      expiresAt: new Date(place.clock.now() + 1_000).toISOString(),
      escalation: { onExpiry: 'default_answer', defaultAnswer: secret },
    })
    place.clock.advance(2_000)
    expect(await holdfast.sweep()).toMatchObject({ expiredQuestions: 1 })
    expect(JSON.stringify((await session.events()).events.at(-1))).toContain(secret)
    await holdfast.sessions.erase(session.id, [asked])
    expect(JSON.stringify((await session.events()).events)).not.toContain(secret)
  })

  it('a late result that a fork noted', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append([calling('c'), result('c', secret)])
    const fork = await session.fork()
    await fork.addNote({ kind: 'late', callId: 'c', text: `${secret} again` })
    await sessions.erase(session.id, await seqsOf(session, 'tool.finished'))
    expect(JSON.stringify((await fork.events()).events)).not.toContain(secret)
  })
})
