/** A page of sessions, newest activity first, whatever their number. */
import { type Holdfast, openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { DEFAULT_TENANT } from '@holdfast/protocol'
import { openBaseline } from './lib/baseline.ts'
import { interleave, repeat } from './lib/measure.ts'
import { temporaryFolder } from './lib/place.ts'
import { rounds, sized } from './lib/size.ts'
import { count, section, table } from './lib/table.ts'
import { group, timeHeader, timeRows } from './lib/timing-rows.ts'

const totals = [1_000, 100_000]
const page = 50
const pagesARound = 300
const createdAtOnce = 512

export async function list(): Promise<void> {
  const rows: string[][] = []
  for (const total of totals) rows.push(...(await pagesOf(total)))
  section(
    `A page of ${page} sessions`,
    table(['of', ...timeHeader], rows),
    'Parsed. A list decodes the heads that changed since it gave them last; page after page: all of them. Target: 0.15 ms, whatever the total.',
  )
}

async function pagesOf(total: number): Promise<string[][]> {
  const folder = temporaryFolder()
  const store = await sqlite(folder.path('holdfast.db')).open({})
  const holdfast = await openHoldfast({ store })
  const baseline = openBaseline(folder.path('baseline.db'))
  baseline.createMany(sized(total))
  for (let done = 0; done < sized(total); done += createdAtOnce) {
    const some = Array.from({ length: Math.min(createdAtOnce, sized(total) - done) })
    await Promise.all(some.map(() => holdfast.sessions.create({ agentId: 'bench' })))
  }
  const alone = async () => {
    const heads = await store.listHeads(DEFAULT_TENANT, { index: 'all', limit: page })
    return heads.map((head) => (head.damaged ? undefined : JSON.parse(head.body)))
  }
  const timings = await interleave(
    [
      { name: 'hand-written', run: (pages) => repeat(pages, () => baseline.list(page)) },
      { name: 'the store alone', run: (pages) => repeat(pages, alone) },
      {
        name: 'holdfast',
        run: (pages) => repeat(pages, () => holdfast.sessions.list({}, { limit: page })),
      },
      { name: 'holdfast, page after page', run: (pages) => pageAfterPage(holdfast, pages) },
    ],
    rounds,
    sized(pagesARound),
  )
  await holdfast.close()
  await store.close()
  baseline.close()
  folder.remove()
  return group(count(sized(total)), timeRows(timings))
}

/** From the newest to the oldest, and again. */
async function pageAfterPage(holdfast: Holdfast, pages: number): Promise<void> {
  let after: string | undefined
  for (let n = 0; n < pages; n++) {
    const found = await holdfast.sessions.list({}, { limit: page, ...(after !== undefined && { after }) })
    after = found.next
  }
}
