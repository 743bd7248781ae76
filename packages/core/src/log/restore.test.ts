import { expect, it, onTestFinished } from 'vitest'
import { memory } from '../store/memory/index.ts'
import { openHoldfast } from './holdfast.ts'
import { eachStore } from './testing/each-store.ts'
import { gather } from './testing/gather.ts'
import { assistant, user } from './testing/messages.ts'

eachStore('a log that is restored', (place) => {
  /** A session of another store, with an image, usage and an answer. */
  async function elsewhere() {
    const holdfast = await openHoldfast({ store: memory(), clock: place.clock.now })
    onTestFinished(() => holdfast.close())
    const session = await holdfast.sessions.create({ agentId: 'agent', title: 'mine' })
    const image = await session.putAttachment({ bytes: Buffer.from('an image'), mediaType: 'image/png' })
    await session.append({ role: 'user', parts: [{ type: 'image', ...image }] })
    await session.append(assistant('a house'))
    await session.recordUsage({ attemptId: 'a', promptTokens: 3, completionTokens: 2 })
    const { texts } = await session.eventTexts({ limit: 100 })
    const attachments = [Buffer.from('an image')]
    return { holdfast, session, events: texts.map(({ text }) => text), attachments, image }
  }

  it('is the same log: seqs, bytes, totals and files; and it goes on', async () => {
    const { holdfast, session, events, attachments, image } = await elsewhere()
    const { sessions, usage } = await place.open()
    const parts = [{ events: events.slice(0, 3), attachments }, { events: events.slice(3) }]
    for (const part of parts) expect((await sessions.restore(session.id, part)).changed).toBe(true)
    const copy = await sessions.open(session.id)
    expect((await copy.eventTexts({ limit: 100 })).texts.map(({ text }) => text)).toEqual(events)
    expect(await copy.view()).toEqual(await session.view())
    expect(await usage.totals()).toEqual(await holdfast.usage.totals())
    expect(Buffer.from((await copy.getAttachment(image.hash)) ?? []).toString()).toBe('an image')
    for (const part of parts)
      expect(await sessions.restore(session.id, part)).toMatchObject({ changed: false })
    if (copy.lifecycle === 'active') await copy.append(user('and then?'))
    expect((await copy.view()).seq).toBe(events.length + 1)
  })

  it('has the epoch that was taken last, and a run that lived there is lost here, and recovered', async () => {
    const { session } = await elsewhere()
    const lease = { owner: 'worker', ttlMs: 60_000 }
    await (await session.startRun(lease)).complete()
    const run = await session.startRun(lease)
    const textsOf = async () => (await session.eventTexts({ limit: 100 })).texts.map(({ text }) => text)
    const whileItLives = await textsOf()
    await run.complete()
    const ended = await textsOf()

    const holdfast = await place.open()
    const { sessions } = holdfast
    const faults = async () =>
      (await gather(holdfast.doctor({ sessionId: session.id }))).map(({ code }) => code)
    const image = [Buffer.from('an image')]
    await sessions.restore(session.id, { events: whileItLives.slice(0, -1), attachments: image })
    expect(await faults()).toEqual(['run_lost'])
    for (let n = 0; n < 2; n++) await sessions.restore(session.id, { events: whileItLives })
    expect(await faults()).toEqual(['run_lost'])
    expect(await sessions.listDue()).toEqual([session.id])
    await sessions.restore(session.id, { events: ended })
    expect(await faults()).toEqual([])
    expect(await sessions.listDue()).toEqual([])

    const copy = await sessions.open(session.id)
    if (copy.lifecycle === 'active') expect((await copy.startRun(lease)).epoch).toBe(3)
    expect((await copy.view()).status).toBe('running')
  })

  it('is refused where it parts from the one that is here, has a gap, or is not of this session', async () => {
    const { session, events } = await elsewhere()
    const target = await place.open()
    const { sessions } = target
    const refusal = (ofId: string, given: string[]) => sessions.restore(ofId, { events: given })
    await expect(refusal(session.id, events.slice(1))).rejects.toMatchObject({ code: 'invalid_input' })
    await expect(refusal('another', events)).rejects.toMatchObject({ code: 'invalid_input' })
    await expect(target.forTenant('t2').sessions.restore(session.id, { events })).rejects.toMatchObject({
      code: 'invalid_input',
    })
    await expect(refusal(session.id, ['{"seq":1}'])).rejects.toMatchObject({ code: 'invalid_input' })
    expect(await sessions.get(session.id)).toBeUndefined()
    await refusal(session.id, events.slice(0, 2))
    await expect(refusal(session.id, events.toSpliced(2, 1))).rejects.toMatchObject({ code: 'invalid_input' })
    await expect(refusal(session.id, events.toSpliced(3, 1))).rejects.toMatchObject({ code: 'invalid_input' })
    const other = events[1]?.replace('image/png', 'image/gif') ?? ''
    await expect(refusal(session.id, [other, ...events.slice(2)])).rejects.toMatchObject({
      code: 'id_taken',
      details: { seq: 2 },
    })
    expect((await sessions.get(session.id))?.seq).toBe(2)
  })

  it('is known for the same although more of it is here than one page holds', async () => {
    const elsewhere = await openHoldfast({ store: memory(), clock: place.clock.now })
    onTestFinished(() => elsewhere.close())
    const session = await elsewhere.sessions.create({ agentId: 'agent' })
    for (let n = 0; n < 22; n++) await session.append(user(String(n % 10).repeat(800_000)))
    const events: string[] = []
    for (;;) {
      const { texts } = await session.eventTexts({ after: events.length, limit: 100 })
      if (texts.length === 0) break
      events.push(...texts.map(({ text }) => text))
    }
    const { sessions } = await place.open()
    for (let n = 0; n < events.length - 1; n += 5)
      await sessions.restore(session.id, { events: events.slice(n, Math.min(n + 5, events.length - 1)) })
    const other = events.with(-2, events.at(-2)?.replace('000', '111') ?? '')
    await expect(sessions.restore(session.id, { events: other })).rejects.toMatchObject({
      code: 'id_taken',
      details: { seq: events.length - 1 },
    })
    const gap = events.toSpliced(3, 1)
    await expect(sessions.restore(session.id, { events: gap })).rejects.toMatchObject({
      code: 'invalid_input',
    })
    expect(await sessions.restore(session.id, { events })).toMatchObject({ changed: true })
    expect(await sessions.restore(session.id, { events })).toMatchObject({ changed: false })
  })

  it('of a fork is the same too, once its source is here; without it nothing is written', async () => {
    const { session, events, attachments } = await elsewhere()
    const fork = await session.fork({ id: 'fork' }, { atSeq: 4 })
    await fork.append(user('another way'))
    const { texts } = await fork.eventTexts({ limit: 100 })
    const all = texts.map(({ text }) => text)
    const own = all.slice(4)
    const { sessions } = await place.open()
    await expect(sessions.restore('fork', { events: own })).rejects.toMatchObject({ code: 'not_found' })
    await sessions.restore(session.id, { events: events.slice(0, 3), attachments })
    await expect(sessions.restore('fork', { events: own })).rejects.toMatchObject({ code: 'not_on_path' })
    await sessions.restore(session.id, { events: events.slice(3, 4) })
    await sessions.restore('fork', { events: own.slice(0, 1) })
    await sessions.restore('fork', { events: own })
    expect(await sessions.restore('fork', { events: own })).toMatchObject({ changed: false })
    const copy = await sessions.open('fork')
    expect((await copy.eventTexts({ limit: 100 })).texts.map(({ text }) => text)).toEqual(all)
    expect(await copy.view()).toEqual(await fork.view())
    await sessions.restore(session.id, { events: events.slice(4) })
    expect((await copy.view()).seq).toBe(all.length)
  })
})
