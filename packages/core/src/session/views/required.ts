import type { Session } from '@holdfast/protocol'
import { refuse } from '../deciding.ts'

/** A fact that a view cannot be without; nothing is made up in its place. */
export function required<K extends keyof Session>(
  session: Session,
  field: K,
  view: string,
): NonNullable<Session[K]> {
  const value = session[field]
  if (value === undefined || value === null)
    return refuse(
      'view_incomplete',
      `session ${session.id} has no ${field}, which the ${view} view requires`,
      { field, view },
    )
  return value
}
