import { openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { exportSession, formats } from '@holdfast/transcripts'
import { expect, test } from 'vitest'

const writable = formats.filter(({ write }) => write).map(({ name }) => name)

test.each(writable)('input that waits for a run is written once: %s', async (format) => {
  const holdfast = await openHoldfast({ store: memory() })
  const session = await (await holdfast.sessions.create({ agentId: 'agent' })).activate()
  const say = (text: string) => session.append({ role: 'user', parts: [{ type: 'text', text }] })
  await say('go')
  await session.startRun({ owner: 'worker', ttlMs: 10_000 })
  await say('it waits')
  let written = ''
  await exportSession(holdfast, session.id, format, {
    async write(text) {
      written += text
      if (written.length > 100_000) throw new Error('it does not end')
    },
  })
  expect(written.split('it waits')).toHaveLength(2)
  await holdfast.close()
})
