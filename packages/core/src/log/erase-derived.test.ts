import { expect, it } from 'vitest'
import { withCommit } from './testing/between.ts'
import { eachStore } from './testing/each-store.ts'
import { assistant, textsOf, user } from './testing/messages.ts'

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
