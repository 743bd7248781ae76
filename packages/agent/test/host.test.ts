/** The same agents in every tenant of a store. */
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { afterEach, expect, it } from 'vitest'
import { type AgentHost, defineAgent, hostAgents } from '../src/index.ts'
import { scripted } from './support/script.ts'

const agent = defineAgent({ id: 'helper', model: scripted(() => ({ text: 'Done.' })) })
let holdfast: Holdfast
let host: AgentHost

async function begun(errors: unknown[] = []): Promise<void> {
  holdfast = await openHoldfast({ store: memory() })
  host = hostAgents(holdfast, { agents: [agent], pollMs: 0, onError: (error) => errors.push(error) })
}

afterEach(async () => {
  await host.close({ drainMs: 0 })
  await holdfast.close()
})

/** Input that nobody has begun to answer. */
async function left(tenantId: string): Promise<string> {
  const { sessions } = holdfast.forTenant(tenantId)
  const { id } = await sessions.create({ agentId: 'helper' })
  const message = { role: 'user' as const, parts: [{ type: 'text' as const, text: 'go' }] }
  await sessions.at(id).batch([{ type: 'append', message, due: true }])
  return id
}

const stateIn = async (tenantId: string, id: string) =>
  (await holdfast.forTenant(tenantId).sessions.get(id))?.run?.state

it('what was left in any tenant is taken on, each in its own', async () => {
  await begun()
  const ids = { one: await left('one'), two: await left('two') }
  await host.recover()
  for (const [tenant, id] of Object.entries(ids)) {
    await host.in(tenant as never).idle()
    expect(await stateIn(tenant, id)).toBe('completed')
  }
  expect(await stateIn('two', ids.one)).toBeUndefined()
})

it('the trouble of one tenant is told, and hides no other’s', async () => {
  const errors: unknown[] = []
  await begun(errors)
  await left('one')
  const id = await left('two')
  const forTenant = holdfast.forTenant.bind(holdfast)
  holdfast.forTenant = (tenantId, options) => {
    if (tenantId === 'one') throw new Error('no such luck')
    return forTenant(tenantId, options)
  }
  await host.recover()
  await host.in('two' as never).idle()
  holdfast.forTenant = forTenant
  expect(await stateIn('two', id)).toBe('completed')
  expect(errors.map(String)).toEqual(['Error: no such luck'])
})

it('once it closes it takes nothing on, also where it was never asked; what comes is left for others', async () => {
  await begun()
  const id = await left('one')
  const { id: late } = await holdfast.forTenant('two').sessions.create({ agentId: 'helper' })
  await host.close({ drainMs: 0 })
  await host.recover()
  expect(await stateIn('one', id)).toBeUndefined()
  const { outcome, reason } = await host
    .in('two' as never)
    .at(late)
    .send('go').result
  expect({ outcome, reason }).toEqual({ outcome: 'suspended', reason: 'shutdown' })
  expect(await stateIn('two', late)).toBeUndefined()
  expect(await holdfast.forTenant('two').sessions.listDue()).toEqual([late])
})

it('more that is due for others than one look takes hides nothing that is due here', async () => {
  await begun()
  const { sessions } = holdfast
  const message = { role: 'user' as const, parts: [{ type: 'text' as const, text: 'go' }] }
  for (let n = 0; n < 230; n++) {
    const { id } = await sessions.create({ agentId: 'elsewhere' })
    await sessions.at(id).batch([{ type: 'append', message, due: true }])
  }
  const id = await left(holdfast.tenantId)
  await host.recover()
  await host.in(holdfast.tenantId).idle()
  expect(await stateIn(holdfast.tenantId, id)).toBe('completed')
})
