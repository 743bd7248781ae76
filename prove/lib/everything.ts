/** Everything that a program can read of a store, from handles that were open while it was forgotten. */
import type { Holdfast, Store } from '@holdfast/core'
import type { CanaryStore } from './canary-store.ts'

export async function everything(store: CanaryStore, seam: Store): Promise<string> {
  const { holdfast } = store
  const found: unknown[] = [
    await records(holdfast),
    (await holdfast.sessions.list({}, { limit: 1_000 })).sessions,
  ]
  for (const id of store.sessions.keys()) {
    if ((await holdfast.sessions.get(id)) !== undefined) found.push(await session(store, seam, id))
  }
  return JSON.stringify(found)
}

async function records({ agents, conversations, participants }: Holdfast): Promise<unknown> {
  return [await agents.list(), await conversations.list(), await participants.list()]
}

async function session({ holdfast, checkpoints }: CanaryStore, seam: Store, id: string): Promise<unknown> {
  const opened = await holdfast.sessions.open(id)
  const { events } = await opened.events({ limit: 1_000 })
  const hashes = new Set(
    [...JSON.stringify(events).matchAll(/"hash":"([0-9a-f]{64})"/g)].map(([, hash]) => hash),
  )
  const files: string[] = []
  for (const hash of hashes)
    files.push(Buffer.from((await opened.getAttachment(hash as string)) ?? []).toString())
  const saved: unknown[] = []
  for (const { session, checkpointId } of checkpoints) {
    if (session === id) saved.push(await opened.getCheckpoint({ checkpointId }))
  }
  const drafts: unknown[] = []
  for (const { draftId } of await seam.listDrafts(holdfast.tenantId, id)) {
    drafts.push(await seam.readDraft(holdfast.tenantId, id, draftId, 0))
  }
  return [
    await opened.view(),
    events,
    (await opened.messages({ limit: 1_000 })).messages,
    await opened.providerView(),
    await followed(opened, events.at(-1)?.seq ?? 0),
    files,
    saved,
    drafts,
  ]
}

/** What a new follower is sent, from the tail in memory where there is one. */
async function followed(
  opened: { follow(options: { signal: AbortSignal }): AsyncGenerator<unknown> },
  seq: number,
): Promise<unknown[]> {
  const stop = new AbortController()
  const items: unknown[] = []
  for await (const item of opened.follow({ signal: stop.signal })) {
    items.push(item)
    if ((item as { event?: { seq: number } }).event?.seq === seq) break
  }
  stop.abort()
  return items
}
