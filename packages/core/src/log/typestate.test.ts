import { expect, expectTypeOf, it } from 'vitest'
import type { FinalizingRun, InitializingRun, RunningRun, SuspendedRun } from './run-types.ts'
import type {
  ActiveSession,
  AnySession,
  ClosedSession,
  CreatedSession,
  ExpiredSession,
} from './session-types.ts'
import { eachStore } from './testing/each-store.ts'
import { user } from './testing/messages.ts'

it('what a state does not permit is not on its interface', () => {
  expectTypeOf<CreatedSession>().toHaveProperty('activate')
  expectTypeOf<CreatedSession>().not.toHaveProperty('undo')
  expectTypeOf<ActiveSession>().toHaveProperty('undo')
  expectTypeOf<ActiveSession>().not.toHaveProperty('activate')

  expectTypeOf<ClosedSession>().not.toHaveProperty('append')
  expectTypeOf<ExpiredSession>().not.toHaveProperty('append')
  expectTypeOf<ClosedSession>().not.toHaveProperty('close')
  expectTypeOf<ClosedSession>().toHaveProperty('fork')
  expectTypeOf<ExpiredSession>().toHaveProperty('messages')
  expectTypeOf<InitializingRun>().not.toHaveProperty('completeRound')
  expectTypeOf<RunningRun>().toHaveProperty('cancel')
  expectTypeOf<FinalizingRun>().not.toHaveProperty('cancel')
  expectTypeOf<FinalizingRun>().not.toHaveProperty('suspend')
  expectTypeOf<SuspendedRun>().not.toHaveProperty('append')
  expectTypeOf<SuspendedRun>().toHaveProperty('resume')
  expectTypeOf<AnySession['lifecycle']>().toEqualTypeOf<'created' | 'active' | 'closed' | 'expired'>()
})

it('an operation that is illegal in a state does not compile', () => {
  const never = (
    created: CreatedSession,
    closed: ClosedSession,
    any: AnySession,
    suspended: SuspendedRun,
  ) => {
    // @ts-expect-error nothing was said yet, so there is nothing to undo
    void created.undo()
    // @ts-expect-error a closed session takes no message
    void closed.append(user('no'))
    // @ts-expect-error the state is not known before it is looked at
    void any.append(user('perhaps'))
    // @ts-expect-error a suspended run has no worker
    void suspended.heartbeat(1)
    if (any.lifecycle === 'active') void any.undo()
  }
  expect(never).toBeTypeOf('function')
})

eachStore('a handle', (place) => {
  it('is of the state that the session is in when it is opened', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent', ttlSecs: 60 })
    expect((await sessions.open(session.id)).lifecycle).toBe('created')
    await session.append(user('hi'))
    expect(session.lifecycle as string).toBe('active')
    expect((await session.reopen()).lifecycle).toBe('active')
    place.clock.advance(60_000)
    const expired = await sessions.open(session.id)
    expect(expired.lifecycle).toBe('expired')
    expect((await session.view()).status).toBe('expired')
    const other = await sessions.create({ agentId: 'agent' })
    await other.close()
    expect((await sessions.open(other.id)).lifecycle).toBe('closed')
  })

  it('is refused at run time when the state changed behind it', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent', ttlSecs: 60 })
    place.clock.advance(59_999)
    await session.pin(true)
    place.clock.advance(1)
    await expect(session.append(user('late'))).rejects.toMatchObject({ code: 'session_expired' })
    await expect(session.rename('late')).rejects.toMatchObject({ code: 'session_expired' })
    const fork = await session.fork({ ttlSecs: null })
    await fork.append(user('on'))
  })
})
