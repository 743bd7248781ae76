/**
 * What is set at the start of every transaction, for that transaction only: a session setting would be lost, or be
 * somebody else's, behind a transaction pooler. For what stays set where there is none, see `standing.ts`. Statements are
 * planned once: they walk along keys whatever the values, and a plan made for an empty table must not stay behind as a
 * scan of a full one.
 */
import type { Step } from './flush.ts'

export const SET = `
  SELECT set_config('holdfast.tenant', $1, true), set_config('role', $2, true),
    set_config('synchronous_commit', $3, true), set_config('plan_cache_mode', 'force_generic_plan', true),
    set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('bytea_output', 'hex', true), set_config('enable_bitmapscan', $4, true)`

/** Each setting is as dear to the server as finding a row. The fourth value: for the transaction only. */
const SET_FOR_KEY = `
  SELECT set_config('holdfast.tenant', $1, $4), set_config('role', $2, $4),
    set_config('synchronous_commit', $3, $4), set_config('plan_cache_mode', 'force_generic_plan', $4),
    set_config('enable_seqscan', 'off', $4), set_config('enable_bitmapscan', 'off', $4),
    set_config('holdfast.standing', $5, $4)`

const SELECT_MARK = `SELECT current_setting('holdfast.standing', true)`

const ABSENCE = `SELECT set_config('idle_in_transaction_session_timeout', $1, true)`

export const FIND = `SELECT set_config('holdfast.words', $1, true)`

export interface Settings {
  /**
   * Role that the statements run under: never one that row-level security does not bind. Named, for `none` would be the
   * role that logged in, which may have another set by the server or the URL.
   */
  role: string
  /** `on`, or what the server has where that is safer. */
  synchronousCommit: string
}

/** For the rows of no tenant. */
export const noTenant = ''

export function settingsStep(settings: Settings, tenant: string, bitmapScan = 'off'): Step {
  return { sql: SET, values: [tenant, settings.role, settings.synchronousCommit, bitmapScan] }
}

/** For statements that find rows by their keys. With a mark, by which it is known again, all of it stays set. */
export function settingsStepForKey(settings: Settings, tenant: string, mark?: string): Step {
  const { role, synchronousCommit } = settings
  return { sql: SET_FOR_KEY, values: [tenant, role, synchronousCommit, mark === undefined, mark ?? ''] }
}

/** By which mark what was set to stay stands, if it does. */
export const markStep: Step = { sql: SELECT_MARK, values: [] }

/** How long a transaction may wait for its process to go on: one that was stopped, or is cut off, must not keep its rows. */
export const longestAbsenceMs = 10_000

export const absenceStep: Step = { sql: ABSENCE, values: [longestAbsenceMs] }

/** The wall around `search` shows the rows that match this query: see `migrations.ts`. */
export function findStep(query: string): Step {
  return { sql: FIND, values: [query] }
}
