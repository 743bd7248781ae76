/** A store after a misfortune, looked at twice: as it was found, and after it was recovered and went on. */
import { type ActiveSession, type Holdfast, openHoldfast, type Store } from '@holdfast/core'
import { type Audited, audit, auditStore, type Findings } from './audit.ts'
import { storeAt } from './stores.ts'

/** An error of the store is a finding too. */
export async function examine(audited: Audited): Promise<Findings> {
  try {
    return await lookTwice(audited)
  } catch (error) {
    return { there: {}, absent: [], lost: [], duplicated: [], reordered: [], wrong: [String(error)] }
  }
}

async function lookTwice(audited: Audited): Promise<Findings> {
  const store = await storeAt(audited.place).open({ clock: later })
  const found = await auditStore(store, audited)
  await goOn(store)
  await store.close()
  const gone = await audit(audited)
  return {
    ...gone,
    lost: [...new Set([...found.lost, ...gone.lost])],
    duplicated: [...found.duplicated, ...gone.duplicated],
    reordered: [...found.reordered, ...gone.reordered],
    wrong: [...found.wrong, ...gone.wrong],
  }
}

/** Leases of what was cut short have run out. */
function later(): number {
  return Date.now() + 1e6
}

async function goOn(store: Store): Promise<void> {
  const holdfast = await openHoldfast({ store, clock: later })
  const { sessions } = await holdfast.sessions.list()
  await Promise.all(sessions.map(({ id }) => goOnWith(holdfast, id)))
  await holdfast.close()
}

async function goOnWith({ sessions }: Holdfast, id: string): Promise<void> {
  await sessions.recover(id)
  const session = (await sessions.open(id)) as ActiveSession
  await session.append({ role: 'user', parts: [{ type: 'text', text: 'Where were we?' }] })
}
