/** Compares a ledger, row for row and sum for sum, with the bill. */
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { type Attempt, bookNames, costOf, plus, type Sums, sumsOf } from './bill.ts'
import { figuresOf, rowsOf } from './ledger-balance.ts'
import type { Spending } from './spending.ts'

type Charge = Spending['charged'][number]

/** Columns of the bill, under the names that the ledger has for them. */
const columns = {
  sessionId: (attempt: Attempt) => attempt.session,
  rootSessionId: (attempt: Attempt) => attempt.root,
  ownerUserId: (attempt: Attempt) => attempt.user,
  agentId: (attempt: Attempt) => attempt.agent,
  model: (attempt: Attempt) => attempt.model,
  purpose: (attempt: Attempt) => attempt.purpose,
} as const

const names = Object.keys(columns) as (keyof typeof columns)[]

export async function auditBill(file: string, { charged, deleted }: Spending): Promise<string[]> {
  const store = await sqlite(file).open({})
  const holdfast = await openHoldfast({ store })
  const wrong: string[] = []
  for (const tenant of new Set(charged.map(({ attempt }) => attempt.tenant))) {
    const own = charged
      .filter(({ attempt }) => attempt.tenant === tenant)
      .map((charge) => (deleted.has(`${tenant} ${charge.attempt.session}`) ? withoutUser(charge) : charge))
    const of = holdfast.forTenant(tenant)
    wrong.push(...compare(own.map(billed), (await rowsOf(store, of)).map(recorded)))
    for (const name of names) wrong.push(...(await compareGroups(of, name, own)))
    for (const book of bookNames) wrong.push(...(await compareRerated(of, book, own)))
  }
  await holdfast.close()
  await store.close()
  return wrong
}

function withoutUser({ attempt, cost }: Charge): Charge {
  return { attempt: { ...attempt, user: '' }, cost }
}

type Row = Awaited<ReturnType<typeof rowsOf>>[number]

/** What an attempt was, and what it cost: one line, the same from either side. */
function billed({ attempt, cost }: Charge): string {
  const { attemptId, session, root, user, model, purpose, status, estimated } = attempt
  return [attemptId, session, root, user, model, purpose, status, estimated, sumsOf(attempt, cost)].join(' ')
}

function recorded(row: Row): string {
  const { attemptId, sessionId, rootSessionId, ownerUserId = '', model, purpose, status, estimated } = row
  const { promptTokens, completionTokens, costMicrocents } = row
  const sums = [1, promptTokens, completionTokens, costMicrocents ?? 0, costMicrocents === undefined ? 1 : 0]
  return [attemptId, sessionId, rootSessionId, ownerUserId, model, purpose, status, estimated, sums].join(' ')
}

/** Each line as often on one side as on the other. */
function compare(bill: readonly string[], ledger: readonly string[]): string[] {
  const left = bill.toSorted()
  const right = ledger.toSorted()
  const missing = left.filter((line, index) => line === left[index - 1] || !right.includes(line))
  const extra = right.filter((line, index) => line === right[index - 1] || !left.includes(line))
  return [
    ...missing.map((line) => `not in the ledger: ${line}`),
    ...extra.map((line) => `not in the bill: ${line}`),
  ]
}

async function compareGroups(
  { usage, tenantId }: Holdfast,
  name: keyof typeof columns,
  charges: readonly Charge[],
): Promise<string[]> {
  const { groups } = await usage.rollUp({ by: [name], limit: 1_000 })
  const told = groups.map(({ key, ...figures }) => `${tenantId} ${key[name] ?? ''}: ${figuresOf(figures)}`)
  const sums = grouped(charges, columns[name], ({ attempt, cost }) => sumsOf(attempt, cost))
  return compare(
    [...sums].map(([key, sum]) => `${tenantId} ${key}: ${sum}`),
    told,
  )
}

async function compareRerated(
  { usage, tenantId }: Holdfast,
  book: string,
  charges: readonly Charge[],
): Promise<string[]> {
  const { groups } = await usage.rerate(book, { by: ['model'], limit: 1_000 })
  const told = groups.map(({ key, rerated, ...figures }) => {
    return `${tenantId} ${key.model} by ${book}: ${figuresOf({ ...figures, ...rerated })}`
  })
  const sums = grouped(charges, columns.model, ({ attempt }) => sumsOf(attempt, costOf(attempt, book)))
  return compare(
    [...sums].map(([key, sum]) => `${tenantId} ${key} by ${book}: ${sum}`),
    told,
  )
}

function grouped(
  charges: readonly Charge[],
  keyOf: (attempt: Attempt) => string,
  sumOf: (charge: Charge) => Sums,
): Map<string, Sums> {
  const sums = new Map<string, Sums>()
  for (const charge of charges) {
    const key = keyOf(charge.attempt)
    const known = sums.get(key)
    sums.set(key, known ? plus(known, sumOf(charge)) : sumOf(charge))
  }
  return sums
}
