import type { EventData, EventType } from '@holdfast/protocol'
import type { FoldEvent, Head, LoadedParts, PartName } from '../state.ts'

/** The state in the making: a copy that a folder may change. */
export interface Draft {
  head: Head
  parts: LoadedParts
}

/** How one type of event changes the state; `draft.head` may be changed freely, parts are replaced, never changed. */
export type Folder<T extends EventType> = (draft: Draft, data: EventData<T>, event: FoldEvent) => void
export type Folders<T extends EventType> = { [K in T]: { parts?: readonly PartName[]; fold: Folder<K> } }
