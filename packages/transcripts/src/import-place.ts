import type { Holdfast } from '@holdfast/core'

/** Where an import goes: an open Holdfast has it all. */
export interface ImportPlace extends Pick<Holdfast, 'tenantId'> {
  /** Every session is asked for with `get` before it is made, opened or restored. */
  readonly sessions: Pick<Holdfast['sessions'], 'get' | 'create' | 'open' | 'restore'>
  /** `put` is called once all of a file is in sessions. */
  readonly importSources: Pick<Holdfast['importSources'], 'get' | 'put'>
}
