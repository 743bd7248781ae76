import pg from 'pg'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Kept } from './kept.ts'
import { describePostgres, freshSchema } from './testing/server.ts'

const restMs = 40
const most = 2
const patience = { timeout: 20_000 }

describePostgres('a connection that is kept', () => {
  let pool: pg.Pool
  let kept: Kept<{ pool: pg.Pool; client: pg.PoolClient }>
  beforeEach(() => {
    pool = new pg.Pool({ connectionString: freshSchema().url, max: most })
    pool.on('error', () => {})
    kept = new Kept(restMs)
  })
  afterEach(async () => {
    kept.close()
    await pool.end()
  })

  const lend = async () => ({ pool, client: await pool.connect() })

  it('is there for the next one, and only once', async () => {
    const lent = await lend()
    kept.put(lent)
    expect(kept.take()).toBe(lent)
    expect(kept.take()).toBeUndefined()
    kept.put(lent)
  })

  it('stays the same one, whatever was used beside it', async () => {
    const [first, second] = [await lend(), await lend()]
    kept.put(first)
    kept.put(second)
    expect(pool.idleCount).toBe(1)
    kept.take()
    const beside = await lend()
    kept.put(beside)
    kept.put(first)
    expect(kept.take()).toBe(first)
    kept.put(first)
  })

  it('goes back to its pool when it has rested, and not while it is used', async () => {
    const lent = await lend()
    const until = performance.now() + 6 * restMs
    while (performance.now() < until) {
      kept.put(lent)
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(kept.take()).toBe(lent)
    }
    kept.put(lent)
    await expect.poll(() => pool.idleCount, patience).toBe(1)
    expect(kept.take()).toBeUndefined()
  })

  it('goes to whoever waits at the pool', async () => {
    const [first, second] = [await lend(), await lend()]
    const waiting = pool.connect()
    expect(pool.waitingCount).toBe(1)
    kept.put(first)
    const client = await waiting
    expect(client).toBe(first.client)
    client.release()
    second.client.release()
  })

  it('that its server closed is not given to anybody', async () => {
    const lent = await lend()
    lent.client.on('error', () => kept.drop(lent.client))
    const { rows } = await lent.client.query('SELECT pg_backend_pid() AS process')
    kept.put(lent)
    await pool.query('SELECT pg_terminate_backend($1)', [rows[0].process])
    await expect.poll(() => pool.totalCount, patience).toBe(1)
    expect(kept.take()).toBeUndefined()
  })

  it('that its server closed while it was used is not kept', async () => {
    const lent = await lend()
    kept.drop(lent.client)
    kept.put(lent)
    expect(kept.take()).toBeUndefined()
    expect(pool.totalCount).toBe(0)
  })

  it('is given back when it is closed, also by who has it then', async () => {
    const lent = await lend()
    kept.put(lent)
    kept.close()
    expect(pool.idleCount).toBe(1)
    kept.put(await lend())
    expect(pool.idleCount).toBe(1)
  })
})
