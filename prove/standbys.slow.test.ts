/** What a store does before a primary and its standbys, and what it says of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openHoldfast, type Store } from '@holdfast/core'
import { postgres } from '@holdfast/core/postgres'
import { isHoldfastError, DEFAULT_TENANT as tenant } from '@holdfast/protocol'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPrograms } from '../tools/postgres/programs.ts'
import { type Postgres, startPostgres, startStandby } from '../tools/postgres/start.ts'
import { commitOf } from './lib/linear/session.ts'
import { asAdmin } from './lib/troubles.ts'

describe.skipIf('missing' in findPrograms())('a primary and its standby', { timeout: 600_000 }, () => {
  let primary: Postgres
  let standby: Postgres

  beforeAll(async () => {
    primary = await startPostgres()
    await open(primary.url).then((store) => store.close())
    standby = await startStandby(primary)
  }, 120_000)
  afterAll(async () => {
    await standby.remove()
    await primary.remove()
  })

  const open = (url: string, options = {}): Promise<Store> =>
    postgres(url, { driver: pg, ...options }).open({})

  const opened = async <T>(url: string, work: (store: Store) => Promise<T>, options = {}): Promise<T> => {
    const store = await open(url, options)
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }

  const together = (...servers: Postgres[]) =>
    `postgres://postgres@${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}/postgres`

  /** Of the primary, until it is set again; it takes effect in a moment. */
  const configure = (name: string, value: string) =>
    asAdmin(primary, async (admin) => {
      await admin.query(`ALTER SYSTEM SET ${name} = '${value}'`)
      await admin.query('SELECT pg_reload_conf()')
    })
  const soon = { timeout: 10_000, interval: 50 }

  /** What a store that is opened now says of it. */
  const told = () =>
    opened(primary.url, async (store) => {
      const holdfast = await openHoldfast({ store })
      const told: string[] = []
      for await (const { code, message } of holdfast.doctor({ replication: true }))
        if (['replicated', 'at_risk'].includes(code)) told.push(`${code}: ${message}`)
      return told
    })

  const risk = async () => (await told())[1] ?? 'none'

  const create = (sessionId: string) => ({
    ...commitOf(sessionId, sessionId, { base: 0, count: 1 }),
    create: true,
    key: { key: 'k', hash: 'h', expiresAtMs: 9e12 },
  })

  test('the primary is found wherever it stands among the hosts', async () => {
    await opened(together(standby, primary), async (store) => {
      expect(await store.commit([create('found')])).toMatchObject([{ status: 'committed' }])
    })
  })

  test('a standby alone is not read from: it may be behind', async () => {
    await expect(open(standby.url)).rejects.toMatchObject({ code: 'store_busy' })
  })

  test('a commit that no standby has is not acknowledged, and sent again it waits for one', async () => {
    await configure('synchronous_standby_names', 'nobody')
    await opened(primary.url, async (store) => {
      const cancelled = expect(store.commit([create('alone')])).rejects.toMatchObject({
        code: 'commit_unknown',
      })
      await asAdmin(primary, async (admin) => {
        const waits = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        while ((await admin.query(waits)).rowCount === 0);
      })
      await cancelled
      const key = store.readKey(tenant, 'alone', 'k')
      const again = store.commit([create('alone')])
      const isAnswered = await Promise.race([
        key,
        again,
        new Promise((done) => setTimeout(done, 300, 'waits')),
      ])
      expect(isAnswered).toBe('waits')
      await configure('synchronous_standby_names', 'standby')
      expect(await again).toMatchObject([{ status: 'replayed' }])
      expect(await key).toMatchObject({ firstSeq: 1 })
    })
  })

  test('nor is it through the engine, which settles what is unknown', async () => {
    await configure('synchronous_standby_names', 'nobody')
    await opened(primary.url, async (store) => {
      const holdfast = await openHoldfast({ store })
      let isAcked = false
      const creating = holdfast.sessions.create({ agentId: 'agent' }).then(() => {
        isAcked = true
      })
      await asAdmin(primary, async (admin) => {
        const waits = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        while ((await admin.query(waits)).rowCount === 0);
      })
      await sleep(500)
      expect(isAcked).toBe(false)
      await configure('synchronous_standby_names', 'standby')
      await creating
    })
  })

  test('the doctor says where else it is, and what is at risk', async () => {
    await configure('synchronous_standby_names', 'standby')
    await expect
      .poll(told, soon)
      .toEqual([
        expect.stringMatching(
          /^replicated: Standbys: standby \(sync, \d+ bytes behind\)\. Commits wait for standby; synchronous_commit is on\.$/,
        ),
      ])
    await configure('synchronous_commit', 'local')
    await expect.poll(risk, soon).toMatch(/^at_risk: synchronous_commit is local/)
    await configure('synchronous_commit', 'off')
    await expect.poll(told, soon).toEqual([expect.stringMatching(/synchronous_commit is on\.$/)])
    await configure('synchronous_commit', 'on')
    await configure('synchronous_standby_names', '')
    await expect
      .poll(risk, soon)
      .toMatch(/^at_risk: Standbys copy this Postgres, but no commit waits for one/)
    await configure('full_page_writes', 'off')
    await expect.poll(risk, soon).toMatch(/^at_risk: full_page_writes is off/)
    await configure('full_page_writes', 'on')
  })

  test('it does not guess what its role may not see', async () => {
    await asAdmin(primary, (admin) => admin.query('CREATE ROLE modest LOGIN'))
    await configure('synchronous_standby_names', 'standby')
    const url = primary.url.replace('postgres@', 'modest@')
    const migrationUrl = url
    await asAdmin(primary, (admin) => admin.query('GRANT CREATE ON DATABASE postgres TO modest'))
    await opened(
      url,
      async (store) => {
        const [state, ...risks] = await store.checkReplication()
        expect(state?.message).toContain('one that this role may not look at')
        expect(risks).toEqual([])
      },
      { schema: 'modest', migrationUrl, requireSyncStandby: true },
    )
  })

  test('it is refused where a synchronous standby is required and no commit waits for one', async () => {
    const required = () =>
      opened(primary.url, async () => 'opened', { requireSyncStandby: true }).catch((error: unknown) => {
        if (!isHoldfastError(error)) throw error
        return `${error.code}: ${error.message}`
      })
    await configure('synchronous_standby_names', 'standby')
    await expect.poll(required, soon).toBe('opened')
    await configure('synchronous_standby_names', 'nobody')
    await expect.poll(required, soon).toMatch(/^store_unsupported: .*No synchronous standby is connected/)
    await configure('synchronous_standby_names', '')
    await expect.poll(required, soon).toMatch(/^store_unsupported: .*no commit waits for one/)
    await standby.stop('fast')
    await expect.poll(required, soon).toMatch(/^store_unsupported: .*No standby copies this Postgres/)
    await expect.poll(risk, soon).toMatch(/^at_risk: No standby copies this Postgres/)
  })
})
