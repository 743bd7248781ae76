/** What a proof forgets: one deletion or erasure after the other, each of which may be done again. */
import type { Holdfast } from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'

export type Forgetting =
  | { do: 'erase'; session: string; seqs: number[] }
  | { do: 'erase message'; session: string; messageId: string }
  | { do: 'delete'; session: string }
  | { do: 'erase user'; userId: string }
  | { do: 'prune'; agentId: string; keepNewest: number }

/** Without the scrub that makes it final. What another process did already is no fault. */
export async function forget(holdfast: Holdfast, one: Forgetting): Promise<void> {
  try {
    await forgetOne(holdfast, one)
  } catch (error) {
    if (!isHoldfastError(error, 'not_found')) throw error
  }
}

async function forgetOne(holdfast: Holdfast, one: Forgetting): Promise<void> {
  const { sessions } = holdfast
  switch (one.do) {
    case 'erase':
      await sessions.erase(one.session, one.seqs, { scrub: false })
      break
    case 'erase message':
      await sessions.eraseMessage(one.session, one.messageId, { scrub: false })
      break
    case 'delete':
      await sessions.delete(one.session, { cascade: true, force: true })
      break
    case 'erase user':
      await holdfast.eraseUser(one.userId, { scrub: false })
      break
    case 'prune':
      await pruneAll(holdfast, one)
  }
}

async function pruneAll(
  holdfast: Holdfast,
  { agentId, keepNewest }: Forgetting & { do: 'prune' },
): Promise<void> {
  let after: string | undefined
  do {
    const options = { keepNewest, filter: { agentId }, limit: 1, ...(after !== undefined && { after }) }
    after = (await holdfast.prune(options)).next
  } while (after !== undefined)
}
