/** The process that no fault reaches: it examines a store, and looks for the records that its writer was told of. */
import { openHoldfast } from '@holdfast/core'
import type { Audited, Findings } from './audit.ts'
import { messages, report } from './child.ts'
import { examine } from './examine.ts'
import type { Kept } from './failing-life.ts'
import { type Place, storeAt } from './stores.ts'

export interface Examined extends Audited {
  kept: readonly Kept[]
}

for await (const { kept, ...audited } of messages<Examined>()) {
  const findings = await examine(audited)
  findings.wrong.push(...(await recordProblems(audited.place, kept).catch((error) => [String(error)])))
  report(findings satisfies Findings)
}

async function recordProblems(place: Place, kept: readonly Kept[]): Promise<string[]> {
  await using holdfast = await openHoldfast({ store: storeAt(place) })
  const problems: string[] = []
  for (const { record, isThere } of kept) {
    const found = await holdfast.agents.get(record)
    if (isThere === false && found) problems.push(`${record} was refused and is there`)
    if (isThere === true && found?.body.name !== record)
      problems.push(`${record} was written and is not there`)
  }
  return problems
}
