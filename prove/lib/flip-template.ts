/** The process that makes the file whose bits are flipped: something of everything, the last of it in the journal alone. */
import { DatabaseSync } from 'node:sqlite'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { messages, report } from './child.ts'
import { Workload } from './workload.ts'

const day = 24 * 60 * 60

for await (const file of messages<string>()) {
  const holdfast = await openHoldfast({ store: sqlite(file) })
  const work = { holdfast, report: () => {}, sessions: ['s0', 's1', 's2'], running: ['r0'], compacts: true }
  await new Workload({ ...work, writer: 1, rounds: 6 }).run()
  await furnish()
  await holdfast.search('tide')
  copyJournal(file)
  await new Workload({ ...work, writer: 2, rounds: 2 }).run()
  await holdfast.search('tide')
  report('made')

  async function furnish(): Promise<void> {
    const { sessions } = holdfast
    const other = holdfast.forTenant('other')
    for (const at of [holdfast, other]) {
      const owned = { agentId: 'painter', ownerUserId: 'ada', conversationId: 'talk', threadId: 'thread' }
      const session = await at.sessions.create({ id: 'owned', ...owned, ttlSecs: day })
      await session.append(
        { role: 'user', parts: [{ type: 'text', text: 'A tide table, please.' }] },
        { key: 'k1' },
      )
      await session.putAttachment({ bytes: Buffer.alloc(20_000, 'ab'), mediaType: 'text/plain' })
      await session.patchMetadata({ place: 'Brest', depth: 12 })
      await session.putCheckpoint({ checkpointId: 'c1', channels: { notes: 'x'.repeat(3_000), step: 1 } })
      await session.putCheckpoint({ checkpointId: 'c2', channels: { notes: 'x'.repeat(3_000), step: 2 } })
      await session.ask({ prompt: 'High or low?', source: 'user' } as never).catch(() => {})
      for (let n = 0; n < 20; n++)
        await at.agents.put(`agent${n}`, { name: `Agent ${n}`, instructions: 'Be brief.' })
    }
    const fork = await (await sessions.open('s0')).fork({ id: 'fork' })
    await fork.append({ role: 'user', parts: [{ type: 'text', text: 'The other way.' }] })
    for (let n = 0; n < 40; n++) await sessions.create({ id: `small${n}`, agentId: `agent${n % 5}` })
    await sessions.create({ id: 'gone', agentId: 'painter' })
    await sessions.delete('gone')
    const drafting = await sessions.create({ id: 'drafting', agentId: 'painter' })
    const run = await drafting.startRun({ owner: 'prover', ttlMs: 60_000 })
    const draft = (await run.startRound()).draft('draft')
    draft.write('Once upon a tide')
    await draft.flush()
  }
}

function copyJournal(file: string): void {
  using db = new DatabaseSync(file)
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
}
