/** One durable turn: a user message and its answer, 1 KiB each, on SQLite with every commit synced. */
import { manyCallers } from './append/callers.ts'
import { oneCaller } from './append/one-caller.ts'

export async function append(): Promise<void> {
  await oneCaller()
  await manyCallers()
}
