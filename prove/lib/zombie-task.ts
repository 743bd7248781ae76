/** What a worker of the zombie proof is told, and what it says. */
import type { Place } from './stores.ts'

export interface ZombieTask {
  place: Place
  planted: boolean
  seed: number
  session: string
  ttlMs: number
  /** `work`, or how to end what was taken over. */
  do: 'work' | Ending
}

export type Ending = 'fail' | 'cancel' | 'suspend' | 'goOn'
export const endings: readonly Ending[] = ['fail', 'cancel', 'suspend', 'goOn']

/** `at`: nanoseconds of the monotonic clock, which all processes of a machine share. */
export type ZombieReport =
  | { ready: true }
  | { begun: string; at: string }
  /** With the seq of its last event, where it wrote one, or the code of its refusal. */
  | { ended: string; seq?: number; code?: string }
  /** The other worker's run is ours. */
  | { taken: true }
  /** `failed`: refused where it must not be. */
  | { done: true; failed?: string }

/** Who the worker says it is, on every event that it writes. */
export const zombieId = 'zombie'
