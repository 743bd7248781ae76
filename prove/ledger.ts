/**
 * The ledger against a known bill: a provider charges for every attempt, in order or failed, retried, aborted, of forks
 * and of children, and the process that records them is killed again and again. After every step the totals of session,
 * tree and tenant are the sum of the rows, and the tenant's are the bill.
 *
 * `npm run prove:ledger -- --attempts 50000 --seed 7`; `--planted` bills what is sent again a second time and must fail.
 */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { knobs } from './lib/args.ts'
import { auditBill } from './lib/bill-audit.ts'
import { Child } from './lib/child.ts'
import { temporaryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import type { SpenderTask, Spent } from './lib/spender.ts'
import { Spending } from './lib/spending.ts'
import { summarize } from './lib/summary.ts'

const { attempts, seed, planted } = knobs({ attempts: 2_000, planted: false })
console.log(
  `ledger: ${attempts} attempts, seed ${seed}${planted ? ', planted: what is sent again is billed again' : ''}`,
)

const random = new Random(seed)
const folder = temporaryFolder()
const file = join(folder, 'holdfast.db')
const spending = new Spending(random)
const planned = [...spending.steps(attempts)]
const wrong: string[] = []
let crashes = 0
let done = 0

/** Steps that one process does at most. */
const stepsAtOnce = 50

let warm = start()
while (done < planned.length && wrong.length === 0) await spend()
warm.kill()
if (wrong.length === 0) wrong.push(...(await auditBill(file, spending)))

for (const fault of wrong.slice(0, 10)) console.error(fault)
const unknown = spending.charged.filter(({ cost }) => cost === undefined).length
summarize({
  seed,
  counted: {
    attempts: spending.charged.length,
    steps: planned.length,
    crashes,
    'of unknown cost': unknown,
  },
  faults: { wrong: wrong.length },
})

/** Started ahead of its turn, as it loads the engine while another one works. */
function start(): Child<Spent> {
  return new Child(new URL('./lib/spender.ts', import.meta.url))
}

/** One process, killed after so many reports. It may have died in the next step, which is sent again. */
async function spend(): Promise<void> {
  const child = warm
  warm = start()
  await child.require()
  const steps = planned.slice(done, done + stepsAtOnce).map(({ step }) => step)
  const isLast = done + steps.length === planned.length
  const task = { file, aheadMs: crashes * 120_000, first: done, steps, isAgain: crashes > 0, planted }
  child.send(task satisfies SpenderTask)
  const reports = isLast ? steps.length : random.below(steps.length)
  for (let read = 0; read < reports; read++) take(await child.require())
  await sleep(random.below(5))
  if (!isLast) child.kill()
  for (let spent = await child.next(); spent; spent = await child.next()) take(spent)
  const end = await child.end()
  if (end === 'SIGKILL') crashes += 1
  else if (end !== '0') wrong.push(`a process ended by itself (${end}): ${child.errors}`)
}

function take({ step, totals, wrong: unbalanced }: Spent): void {
  const bill = planned[step]?.bill
  wrong.push(...unbalanced)
  if (`${totals}` !== `${bill}`) wrong.push(`after step ${step}: told ${totals}, the bill is ${bill}`)
  done = step + 1
}
