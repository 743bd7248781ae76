/** What a process of the linearizability proof is told, and what it says. */
import type { Random } from '../random.ts'
import type { EngineOp } from './engine-model.ts'
import type { SeamOp } from './seam-model.ts'

/** At the store's seam, or through the engine. */
export type Level = 'seam' | 'engine'
export type Op = SeamOp | EngineOp

export interface Place {
  /** Its name. */
  store: string
  folder: string
  planted: string
}

export interface HistoryTask extends Place {
  history: number
  session: string
  level: Level
  seed: number
  /** Each a handle of its own. */
  clients: number
  /** Of all clients together. */
  ops: number
}

export interface ClientOptions {
  session: string
  /** Parts what it writes from what others write. */
  name: string
  random: Random
}

/** Nanoseconds of the monotonic clock, which all processes of a machine share. */
export type LinearReport =
  | { ready: true }
  | { history: number; id: string; op: Op; begin: number }
  | { history: number; id: string; answer: Op['answer'] | string; wallTo: number; end: number }
  | { history: number; done: true }
