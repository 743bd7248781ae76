/** Old shapes of stored events made into today's, whenever one is read. Rows in the store are never rewritten. */
import { HoldfastError } from '@holdfast/protocol'

/** Makes data of one version into data of the next. */
export type Upcaster = (data: unknown) => unknown

/** By event type and the version that is left behind. */
export type Upcasters = Readonly<Record<string, Readonly<Record<number, Upcaster>>>>

/** None is needed yet: every type is at its first version. */
export const upcasters: Upcasters = {}

export function needsUpcast(table: Upcasters, type: string, v: number): boolean {
  return Object.hasOwn(table, type) && table[type]?.[v] !== undefined
}

/** The data one version after another, as far as the table goes. */
export function upcast(
  table: Upcasters,
  type: string,
  v: number,
  data: unknown,
): { v: number; data: unknown } {
  const steps = table[type] ?? {}
  let current = { v, data }
  for (let step = steps[v]; step !== undefined; step = steps[current.v]) {
    current = { v: current.v + 1, data: stepped(step, type, current) }
  }
  return current
}

function stepped(step: Upcaster, type: string, from: { v: number; data: unknown }): unknown {
  try {
    return step(from.data)
  } catch (cause) {
    throw new HoldfastError(
      'store_corrupt',
      `a stored ${type} of version ${from.v} cannot be brought up to date`,
      {
        cause,
      },
    )
  }
}
