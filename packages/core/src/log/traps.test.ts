/** The traps of the source systems that only a log on a store can show, each by name, on every store. */
import { HoldfastError } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { withMembers } from './testing/between.ts'
import { eachStore } from './testing/each-store.ts'
import { user } from './testing/messages.ts'

eachStore('trap', (place) => {
  it('an idempotency key that is not scoped to its tenant', async () => {
    const ours = await place.open()
    const theirs = ours.forTenant('another')
    const options = { key: 'same-key' }
    for (const { sessions } of [ours, theirs]) {
      const session = await sessions.create({ id: 'same-id', agentId: 'agent' })
      expect((await session.append(user('once'), options)).replayed).toBe(false)
      expect((await session.append(user('once'), options)).replayed).toBe(true)
      expect((await session.view()).counters.messageCount).toBe(1)
    }
  })

  it('a missing tenant that means all tenants', async () => {
    const ours = await place.open()
    await ours.forTenant('another').sessions.create({ id: 'theirs', agentId: 'agent' })
    expect((await ours.sessions.list()).sessions).toEqual([])
    for (const tenantId of ['', undefined as unknown as string]) {
      expect(() => ours.forTenant(tenantId)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
    }
  })

  it('foreign and missing ids that look different', async () => {
    const ours = await place.open()
    await ours.forTenant('another').sessions.create({ id: 'theirs', agentId: 'agent' })
    const told = async (id: string) => {
      const error = await ours.sessions.open(id).catch((failure: HoldfastError) => failure)
      return JSON.stringify([
        (error as HoldfastError).code,
        (error as Error).message,
        (error as HoldfastError).details,
      ])
    }
    expect((await told('theirs')).replace('theirs', 'nobody')).toBe(await told('nobody'))
    expect(await ours.sessions.get('theirs')).toBeUndefined()
  })

  it('a storage failure shown as not-found, or as an empty list', async () => {
    const broken = new HoldfastError('store_unavailable', 'the disk is gone')
    const fail = () => Promise.reject(broken)
    const { sessions } = await place.open({
      wrap: (store) => withMembers(store, { readHead: fail, listHeads: fail }),
    })
    await expect(sessions.get('any')).rejects.toBe(broken)
    await expect(sessions.open('any')).rejects.toBe(broken)
    await expect(sessions.list()).rejects.toBe(broken)
  })

  it('index and body written separately: a refused write leaves neither', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    const before = await session.view()
    await expect(
      session.batch([
        { type: 'append', message: { ...user('findable'), id: 'm1' } },
        { type: 'append', message: { ...user('twice'), id: 'm1' } },
      ]),
    ).rejects.toMatchObject({ code: 'duplicate_id' })
    expect(await session.view()).toEqual(before)
    expect((await holdfast.search('findable')).hits).toEqual([])
    await session.append({ ...user('findable'), id: 'm1' })
    expect((await holdfast.search('findable')).hits).toMatchObject([{ sessionId: session.id }])
  })

  it('limiting before filtering: a page of the few that match is not cut by the many that do not', async () => {
    const { sessions } = await place.open()
    for (let n = 0; n < 30; n++)
      await sessions.create({ id: `s${n}`, agentId: 'agent', pinned: n % 10 === 0 })
    const { sessions: pinned } = await sessions.list({ pinned: true }, { limit: 3 })
    expect(pinned.map(({ id }) => id).sort()).toEqual(['s0', 's10', 's20'])
  })
})
