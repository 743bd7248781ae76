/** Where else what is acknowledged is, and what may be lost with one machine. What a role may not see is not guessed. */
import { HoldfastError } from '@holdfast/protocol'
import type { StoreFinding } from '../store.ts'
import type { Connections } from './connection.ts'
import type { Row } from './driver.ts'
import { storeError } from './errors.ts'
import type { Answer } from './flush.ts'
import { patiently } from './patience.ts'

const SELECT_SETTINGS = `
  SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_standby_names')`

const SELECT_STANDBYS = `
  SELECT application_name, sync_state, pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn)
  FROM pg_stat_replication WHERE coalesce(state, 'streaming') = 'streaming' ORDER BY 1, 3`

interface Replication {
  fsync: string
  fullPageWrites: string
  /** Of the store's own commits, whatever the server does by default. */
  synchronousCommit: string
  /** Whom a commit waits for, as the server has it: `ANY 1 (one, other)`; empty for nobody. */
  synchronousStandbyNames: string
  standbys: readonly Standby[]
}

interface Standby {
  name: string
  /** `sync`, `quorum`, `potential` or `async`; null for a role that may not see it (`pg_read_all_stats`). */
  syncState: string | null
  /** Written here and not on its disk yet. */
  bytesBehind: number
}

export async function checkReplication(
  owner: Connections,
  synchronousCommit: string,
): Promise<StoreFinding[]> {
  const replication = await readReplication(owner, synchronousCommit)
  const risks = risksOf(replication).map((message) => ({ code: 'at_risk' as const, message }))
  return [{ code: 'replicated', message: stateOf(replication) }, ...risks]
}

/** Throws `store_unsupported` where a commit may be acknowledged that is on one machine only, or nobody is there to wait for. */
export async function requireSyncStandby(owner: Connections, synchronousCommit: string): Promise<void> {
  const reason = whyNotSynchronous(await readReplication(owner, synchronousCommit))
  if (reason !== undefined)
    throw new HoldfastError('store_unsupported', `A synchronous standby is required. ${reason}`)
}

async function readReplication(owner: Connections, synchronousCommit: string): Promise<Replication> {
  const steps = [SELECT_SETTINGS, SELECT_STANDBYS].map((sql) => ({ sql, values: [] }))
  try {
    const answers = await patiently(() => owner.use((connection) => connection.flush(steps)))
    const [settings, standbys] = answers as [Answer, Answer]
    const [fsync, fullPageWrites, synchronousStandbyNames] = settings.rows[0] as [string, string, string]
    return {
      fsync,
      fullPageWrites,
      synchronousCommit,
      synchronousStandbyNames,
      standbys: standbys.rows.map(standbyOf),
    }
  } catch (error) {
    throw storeError(error)
  }
}

function standbyOf([name, syncState, bytesBehind]: Row): Standby {
  return { name: name ?? '', syncState, bytesBehind: Number(bytesBehind) }
}

function stateOf({ synchronousCommit, synchronousStandbyNames, standbys }: Replication): string {
  const each = standbys.map(({ name, syncState, bytesBehind }) =>
    syncState === null
      ? 'one that this role may not look at (pg_read_all_stats)'
      : `${name} (${syncState}, ${bytesBehind} bytes behind)`,
  )
  const names = synchronousStandbyNames === '' ? 'nobody' : synchronousStandbyNames
  return `Standbys: ${each.join(', ') || 'none'}. Commits wait for ${names}; synchronous_commit is ${synchronousCommit}.`
}

function risksOf(replication: Replication): string[] {
  const { fsync, fullPageWrites } = replication
  return [
    fsync === 'on'
      ? undefined
      : 'fsync is off: when the machine of Postgres fails, acknowledged writes may be lost and its files damaged.',
    fullPageWrites === 'on'
      ? undefined
      : 'full_page_writes is off: when the machine of Postgres fails, its files may be damaged.',
    whyNotSynchronous(replication),
  ].filter((risk) => risk !== undefined)
}

function whyNotSynchronous(replication: Replication): string | undefined {
  const { synchronousCommit, synchronousStandbyNames, standbys } = replication
  if (standbys.length === 0 && synchronousStandbyNames === '')
    return 'No standby copies this Postgres: when its machine is lost, so is all that was written since the last backup.'
  if (synchronousStandbyNames === '')
    return 'Standbys copy this Postgres, but no commit waits for one (synchronous_standby_names is empty): when its machine is lost, so are the last acknowledged writes.'
  if (synchronousCommit === 'local')
    return 'synchronous_commit is local, so no commit waits for a standby: when the machine of Postgres is lost, so are the last acknowledged writes.'
  const waitedFor = standbys.filter(({ syncState }) => ['sync', 'quorum', null].includes(syncState))
  if (waitedFor.length > 0) return undefined
  return 'No synchronous standby is connected: every commit waits until one is, and is acknowledged by nobody.'
}
