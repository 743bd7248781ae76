import type { Command } from '../command.ts'
import { type Decide, decided, type NewEvent, nothing } from '../deciding.ts'
import type { Head } from '../state.ts'
import { requireOwnRun, runLane } from './guard.ts'

type Only<T extends Command['type']> = Extract<Command, { type: T }>

/** Any rewrite of history ends the context that the provider holds: the next request is a new initial one. */
export function invalidateContext(head: Head, reason: string, lane: { run?: true } = {}): NewEvent[] {
  if (!head.providerContext) return []
  return [
    {
      type: 'provider_context.invalidated',
      data: { contextId: head.providerContext.contextId, reason },
      ...lane,
    },
  ]
}

export const decideOpenProviderContext: Decide<Only<'openProviderContext'>> = (
  head,
  { type: _type, ...data },
  env,
) => {
  requireOwnRun(head, env)
  const lane = runLane(env)
  const opened: NewEvent = {
    type: 'provider_context.opened',
    data: { ...data, contextId: data.contextId ?? env.ids.next() },
    ...lane,
  }
  return { events: [...invalidateContext(head, 'superseded', lane), opened] }
}

export const decideInvalidateProviderContext: Decide<Only<'invalidateProviderContext'>> = (
  head,
  { reason },
  env,
) => {
  if (!head.providerContext) return nothing
  return decided(...invalidateContext(head, reason, runLane(env)))
}
