import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sqlite } from '../store/sqlite/index.ts'
import { TemporaryPlace } from '../store/sqlite/temporary.ts'
import { openHoldfast } from './holdfast.ts'
import { user } from './testing/messages.ts'

const address = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)

let place: TemporaryPlace
beforeEach(() => {
  place = new TemporaryPlace()
})
afterEach(() => place.remove())

describe.each(['caller', 'thread'] as const)('a program on a store (writer: %s)', (writer) => {
  function started(end: string) {
    const program = `
      import { sqlite } from ${address('../store/sqlite/index.ts')}
      import { openHoldfast } from ${address('./holdfast.ts')}
      const store = sqlite(process.argv[1], { writer: '${writer}' })
      const { sessions } = await openHoldfast({ store })
      const session = await sessions.open('s')
      ${end}`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, place.path])
    return { child, said: Promise.all([text(child.stdout), text(child.stderr)]), over: once(child, 'close') }
  }

  it('lives while it follows, hears what another process writes, and ends once it follows no more', async () => {
    await using holdfast = await openHoldfast({ store: sqlite(place.path) })
    const session = await holdfast.sessions.create({ id: 's', agentId: 'agent' })
    const { child, said, over } = started(`
      for await (const { event } of session.follow()) {
        if (event.type === 'message.appended') break
        console.log(event.type)
      }`)
    await once(child.stdout, 'data')
    await new Promise((resolve) => setTimeout(resolve, 300))
    await session.append(user('late'))
    expect(await over).toEqual([0, null])
    expect(await said).toEqual([expect.stringContaining('session.created\n'), ''])
  })

  it.each([
    ['only opened a store', ''],
    ['was given what it asked for', 'for await (const _ of session.follow()) break'],
    [
      'stopped the wait',
      `const ended = new AbortController()
      setTimeout(() => ended.abort(), 100)
      for await (const _ of session.follow({ signal: ended.signal }));`,
    ],
  ])('ends by itself when it %s', async (_what, end) => {
    await using holdfast = await openHoldfast({ store: sqlite(place.path) })
    await holdfast.sessions.create({ id: 's', agentId: 'agent' })
    const { said, over } = started(end)
    expect(await over).toEqual([0, null])
    expect(await said).toEqual(['', ''])
  })
})
