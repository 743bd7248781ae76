import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { expect, inject, test } from 'vitest'
import { filledStore, said, temporaryFolder } from '../testing/place.ts'
import { run } from '../testing/run.ts'

const folder = temporaryFolder()
const bin = join(import.meta.dirname, '../holdfast.js')

test('a file is copied into another, with the keys of a server, and again nothing is written', async () => {
  const [from, to] = [join(folder, 'a.db'), join(folder, 'b.db')]
  await filledStore(from, async (holdfast) => {
    const talk = await holdfast.sessions.create({ agentId: 'support', title: 'sushi' })
    await talk.append([said('user', 'hello'), said('assistant', 'hi')])
    await holdfast.forTenant('team').sessions.create({ agentId: 'other' })
  })
  expect((await run(['keys', 'create', '--name', 'me', '--store', from])).code).toBe(0)
  const line = ['copy', '--from', `sqlite:${from}`, '--to', to, '--every-tenant']
  const first = await run(line)
  expect(first).toMatchObject({ code: 0 })
  expect(first.out).toContain('2 sessions written')
  expect(first.out).toContain('2 sessions read on both sides, with the same hashes')
  expect(first.err).toContain(`HOLDFAST_PEPPER_FILE=${from}.pepper`)
  const again = JSON.parse((await run([...line, '--json'])).out).data
  expect(again).toMatchObject({ from, to, tenants: 3, written: 0, verified: 2, records: 0, failed: [] })
  expect((await run(['keys', 'list', '--store', to])).out).toContain('me')
  expect((await run(['sessions', '--store', to])).out).toContain('sushi')
})

test('what cannot be copied is refused, or told with the others', async () => {
  const [from, to] = [join(folder, 'parted.db'), join(folder, 'parted-copy.db')]
  await filledStore(from, ({ sessions }) => sessions.create({ id: 's', agentId: 'a' }))
  expect(await run(['copy', '--from', from, '--to', from])).toMatchObject({ code: 2 })
  expect(await run(['copy', '--from', join(folder, 'none.db'), '--to', to])).toMatchObject({ code: 3 })
  await filledStore(to, ({ sessions }) => sessions.create({ id: 's', agentId: 'b' }))
  const { code, out } = await run(['copy', '--from', from, '--to', to])
  expect(code).toBe(6)
  expect(out).toContain('✗ s: session s is there already with another log')
})

test('a copy that is killed again and again ends with the same store', { timeout: 60_000 }, async () => {
  const [from, to] = [join(folder, 'killed.db'), join(folder, 'killed-copy.db')]
  await filledStore(from, async ({ sessions }) => {
    for (let n = 0; n < 60; n++) {
      const session = await sessions.create({ id: `s${n}`, agentId: 'a' })
      await session.append(Array.from({ length: 20 }, (_, i) => said('user', `${n} ${i}`)))
      await session.putCheckpoint({ checkpointId: `c${n}`, channels: { n } })
      await session.recordUsage({ attemptId: `u${n}`, promptTokens: n, completionTokens: 1 })
    }
  })
  const args = [bin, 'copy', '--from', from, '--to', to]
  for (let kill = 0; kill < 5; kill++) {
    const child = spawn(process.execPath, args, { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('close', resolve))
    while (!existsSync(to) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5))
    await new Promise((resolve) => setTimeout(resolve, 60 * kill))
    child.kill('SIGKILL')
    await ended
  }
  const { code, out } = await run(['copy', '--from', from, '--to', to, '--json'])
  expect([code, JSON.parse(out).data]).toMatchObject([0, { verified: 60, failed: [], onlyThere: 0 }])
  await using copy = await openHoldfast({ store: sqlite(to) })
  const findings: unknown[] = []
  for await (const finding of copy.doctor({ everyTenant: true })) findings.push(finding.message)
  expect(findings).toEqual([])
})

test('a file is not distributed, and a Postgres without the extension says so', async () => {
  const file = join(folder, 'a.db')
  const distributing = (store: string) => run(['migrate', '--distributed', 'citus', '--store', store])
  expect(await distributing(file)).toMatchObject({ code: 2 })
  const url = inject('postgresUrl')
  if (url === undefined || process.env.HOLDFAST_TEST_DISTRIBUTED) return
  const refused = await distributing(url)
  expect(refused.code).not.toBe(0)
  expect(refused.err).toContain('no extension citus')
})

test.skipIf(inject('postgresUrl') === undefined)('there and back again through Postgres', async () => {
  const url = inject('postgresUrl') as string
  const [from, back] = [join(folder, 'there.db'), join(folder, 'back.db')]
  const tenant = `copy-${Date.now()}`
  await filledStore(from, async (holdfast) => {
    const talk = await holdfast.forTenant(tenant).sessions.create({ id: 's', agentId: 'a' })
    await talk.append([said('user', 'hello'), said('assistant', 'hi')])
  })
  const copy = (a: string, b: string) => run(['copy', '--from', a, '--to', b, '--tenant', tenant, '--json'])
  expect(JSON.parse((await copy(from, url)).out).data).toMatchObject({ written: 1, verified: 1, failed: [] })
  expect(JSON.parse((await copy(url, back)).out).data).toMatchObject({ written: 1, verified: 1, failed: [] })
  const shown = async (store: string) =>
    (await run(['export', 's', '--store', store, '--tenant', tenant])).out
  expect(await shown(back)).toBe(await shown(from))
  await using there = await openHoldfast({ store: sqlite(back), tenantId: tenant })
  await there.sessions.delete('s')
})
