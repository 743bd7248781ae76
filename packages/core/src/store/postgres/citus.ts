/**
 * Citus: the coordinator plans a statement that moves the row and writes the events as two, and carries the rows of the
 * one to the other itself. So they are sent as two: `BEGIN`, `UPDATE … RETURNING`, and after its answer `INSERT … VALUES`
 * and `COMMIT`, each of which goes to the tenant's shard. What is set for a transaction reaches the nodes that hold the
 * shards only as `SET LOCAL` within a block, and what a row was written by cannot be asked there: the answer says it.
 */
import type { TenantId } from '@holdfast/protocol'
import type { Commit } from '../store.ts'
import { type Ground, listingSteps, MOVE_ONE, stepsBeside, valuesOfMove } from './commit-steps.ts'
import type { Connection } from './connection.ts'
import { isOutage } from './errors.ts'
import { columnsOf, valuesOfEvent } from './events.ts'
import { type Answer, BEGIN, COMMIT, ROLLBACK, type Step } from './flush.ts'
import { FIND, SET } from './settings.ts'
import type { Target } from './target.ts'

const PROPAGATE: Step = { sql: `SET LOCAL citus.propagate_set_commands TO 'local'`, values: [] }

const INSERT_EVENT = `
  INSERT INTO @events (tenant, session, seq, v, crc, bytes, type, at, commit_id, aside, body)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`

export const citus: Target = {
  name: 'citus',
  sending: { flush, inBlock },
  way: {
    commit({ db, clock, known }, tenant, commits) {
      return db.transact(tenant, async (tx) => {
        const ground = { nowMs: clock.forStatement(), known }
        const answers = await tx.ask(commits.map((commit) => moveStep(ground, tenant, commit)))
        const moved = commits.filter((_, index) => answers[index]?.rows.length === 1)
        for (const step of stepsAfter(tenant, moved)) tx.send(step)
        for (const step of listingSteps(known, tenant, moved)) tx.send(step)
        return answers.flatMap(({ rows }) => rows)
      })
    },

    stepsOf: (ground, tenant, commit) => [
      moveStep(ground, tenant, commit),
      ...stepsAfter(tenant, [commit]),
      ...listingSteps(ground.known, tenant, [commit]),
    ],

    stepsOfCreation: (tenant, commit) => stepsAfter(tenant, [commit]),
  },
}

async function flush(connection: Connection, steps: readonly Step[]): Promise<Answer[]> {
  try {
    const answers = await inBlock(connection, [BEGIN, ...steps, COMMIT])
    return answers.slice(1, -1)
  } catch (error) {
    // The block is open still; a broken connection has none.
    if (!isOutage(error)) await connection.flush([ROLLBACK])
    throw error
  }
}

/** What became several steps is answered by the last of them. */
async function inBlock(connection: Connection, steps: readonly Step[]): Promise<Answer[]> {
  const sent = steps.map(adapted)
  const answers = await connection.flush(sent.flat())
  let end = 0
  return sent.map((some) => {
    end += some.length
    return answers[end - 1] as Answer
  })
}

function moveStep(ground: Ground, tenant: TenantId, commit: Commit): Step {
  return { sql: MOVE_ONE, values: valuesOfMove(ground, tenant, commit) }
}

function stepsAfter(tenant: TenantId, commits: readonly Commit[]): Step[] {
  const events = commits.flatMap((commit) =>
    columnsOf(commit).map((row) => ({
      sql: INSERT_EVENT,
      values: [tenant, commit.sessionId, ...valuesOfEvent(row)],
    })),
  )
  return commits.length === 0 ? [] : [...events, ...stepsBeside(tenant, commits)]
}

function adapted(step: Step): Step[] {
  if (step.sql === SET) return [step, PROPAGATE, setLocal('holdfast.tenant', step.values[0])]
  if (step.sql === FIND) return [setLocal('holdfast.words', step.values[0])]
  return [{ ...step, sql: unmarked(step.sql) }]
}

/** `SET` takes no parameters. */
function setLocal(name: string, value: unknown): Step {
  const literal = `'${String(value).replaceAll("'", "''")}'`
  return { sql: `SET LOCAL ${name} TO ${literal}`, values: [], isUnlike: true }
}

const mark = /\(\s*SELECT e\.xmin FROM @events e WHERE [^)]*\)\s*= pg_current_xact_id\(\)::xid/g

const texts = new Map<string, string>()

/** Statements beside a commit ask whether this transaction wrote its events; here only those that it wrote have any. */
function unmarked(sql: string): string {
  const known = texts.get(sql)
  if (known !== undefined) return known
  const text = sql.replace(mark, 'true')
  texts.set(sql, text)
  return text
}
