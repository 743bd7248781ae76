import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { exitCodes } from '../exit-codes.ts'
import { filledStore, said, temporaryFolder } from '../testing/place.ts'
import { run } from '../testing/run.ts'

const folder = temporaryFolder()
const { refused, missing } = exitCodes

describe.each(['text', 'json'] as const)('deleting several, told as %s', (format) => {
  const store = join(folder, `${format}.db`)
  let ids: Record<'plain' | 'parent' | 'child' | 'source' | 'pinned', string>

  beforeAll(async () => {
    ids = await filledStore(store, async ({ sessions }) => {
      const made = async () => {
        const session = await sessions.create({ agentId: 'a' })
        await session.append(said('user', 'hello'))
        return session
      }
      const [plain, parent, source, pinned] = [await made(), await made(), await made(), await made()]
      await pinned.pin(true)
      await source.fork({})
      const { childId } = await parent.spawnChild({ agentId: 'a' })
      return { plain: plain.id, parent: parent.id, child: childId, source: source.id, pinned: pinned.id }
    })
  })

  const flags = format === 'json' ? ['--json'] : []
  const deleted = (...texts: string[]) => run(['delete', ...texts, '--yes', ...flags, '--store', store])
  const isThere = async (id: string) => (await run(['show', id, '--store', store])).code === 0

  test('nothing goes where one of them is refused from the beginning', async () => {
    expect(await deleted(ids.plain, ids.pinned)).toMatchObject({ code: refused.code, out: '' })
    expect(await deleted(ids.plain, 'none')).toMatchObject({ code: missing.code, out: '' })
    expect(await isThere(ids.plain)).toBe(true)
  })

  test('what is named twice, or goes with another, is deleted once', async () => {
    const { code, out } = await deleted(ids.parent, ids.parent.slice(-12), ids.child)
    expect(code).toBe(0)
    if (format === 'text') expect(out).toMatch(/^Deleted 2 sessions, /)
    else expect(JSON.parse(out).data.sessionIds.sort()).toEqual([ids.parent, ids.child].sort())
  })

  test('what went before a refusal is told', async () => {
    const { code, out, err } = await deleted(ids.plain, ids.source)
    expect(code).toBe(refused.code)
    expect(err).toContain('has_forks'.slice(format === 'json' ? 0 : 4))
    if (format === 'text') expect(out).toMatch(/^Deleted 1 session, /)
    else expect(JSON.parse(out).data.sessionIds).toEqual([ids.plain])
    expect(await isThere(ids.source)).toBe(true)
  })
})
