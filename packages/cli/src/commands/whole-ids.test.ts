/** A program is given whole ids, a person their ends. */
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { filledStore, said, temporaryFolder } from '../testing/place.ts'
import { run } from '../testing/run.ts'

const store = join(temporaryFolder(), 'holdfast.db')
let ids: { talk: string; fork: string; child: string }

beforeAll(async () => {
  ids = await filledStore(store, async ({ sessions }) => {
    const talk = await sessions.create({ agentId: 'support', title: 'an order' })
    await talk.append(said('user', 'Where is my sushi?'))
    await talk.recordUsage({ attemptId: 'a1', model: 'm1', promptTokens: 12, completionTokens: 3 })
    const { childId } = await talk.spawnChild({ agentId: 'courier' })
    const fork = await talk.fork({ title: 'another way' })
    return { talk: talk.id, fork: fork.id, child: childId }
  })
})

test.each([
  ['search sushi', ({ talk }: typeof ids) => [`holdfast show ${talk} --at`]],
  ['diff TALK FORK', ({ talk, fork }: typeof ids) => [`- ${talk}`, `+ ${fork}`]],
  ['show TALK', ({ child, talk }: typeof ids) => [`holdfast show ${child}`, `--root ${talk} --tree`]],
  ['show FORK', ({ talk }: typeof ids) => [`fork of ${talk} at #`]],
  ['show CHILD', ({ talk }: typeof ids) => [`child of ${talk}`]],
  ['usage --by tree', ({ talk }: typeof ids) => [`${talk}  an order`]],
  ['usage --by session --csv', ({ talk }: typeof ids) => [`${talk} an order`]],
] as const)('%s', async (line, saidOf) => {
  const { talk, fork, child } = ids
  const typed = line.replace('TALK', talk).replace('FORK', fork).replace('CHILD', child).split(' ')
  const piped = await run([...typed, '--store', store])
  const shown = await run([...typed, '--store', store], { columns: 120 })
  for (const said of saidOf(ids)) {
    expect(piped.out).toContain(said)
    expect(shown.out).not.toContain(said)
    expect(shown.out).toContain(said.replaceAll(/[\w-]{36}/g, (id) => id.slice(-8)))
  }
})
