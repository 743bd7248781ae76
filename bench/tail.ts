/** The last 50 messages of a session, whatever its length. */
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { DEFAULT_TENANT } from '@holdfast/protocol'
import { openBaseline } from './lib/baseline.ts'
import { fill } from './lib/fill.ts'
import { interleave, repeat } from './lib/measure.ts'
import { temporaryFolder } from './lib/place.ts'
import { rounds, sized } from './lib/size.ts'
import { count, section, table } from './lib/table.ts'
import { group, timeHeader, timeRows } from './lib/timing-rows.ts'

const lengths = [50, 1_000, 100_000, 1_000_000]
const page = 50
const pagesARound = 500

export async function tail(): Promise<void> {
  const folder = temporaryFolder()
  const store = await sqlite(folder.path('holdfast.db')).open({})
  const holdfast = await openHoldfast({ store })
  const baseline = openBaseline(folder.path('baseline.db'))
  const rows: string[][] = []
  for (const [chat, length] of lengths.entries()) {
    const session = await holdfast.sessions.create({ agentId: 'bench' })
    baseline.fill(chat, sized(length))
    await fill(session, sized(length))
    const range = { direction: 'backward', limit: page, maxBytes: 2 ** 20 } as const
    const alone = async () => {
      const events = await store.readEvents(DEFAULT_TENANT, session.id, range)
      return events.map(({ body }) => JSON.parse(body))
    }
    const { older: last = '' } = await session.messages({ limit: 1 })
    const contenders = [
      { name: 'hand-written', run: (pages: number) => repeat(pages, () => baseline.last(chat, page)) },
      { name: 'the store alone', run: (pages: number) => repeat(pages, alone) },
      {
        name: 'holdfast, messages',
        run: (pages: number) => repeat(pages, () => session.messages({ limit: page })),
      },
      {
        name: 'holdfast, from the file',
        run: (pages: number) => repeat(pages, () => session.messages({ limit: page, before: last })),
      },
      {
        name: 'holdfast, events',
        run: (pages: number) => repeat(pages, () => session.events({ limit: page, direction: 'backward' })),
      },
    ]
    // The first length warms the process up.
    if (rows.length === 0) await interleave(contenders, 1, sized(4 * pagesARound))
    rows.push(
      ...group(count(sized(length)), timeRows(await interleave(contenders, rounds, sized(pagesARound)))),
    )
  }
  await holdfast.close()
  await store.close()
  baseline.close()
  folder.remove()
  section(
    `The last ${page} of N messages`,
    table(['N', ...timeHeader], rows),
    'Parsed. What a process read last of a session, it keeps; from the file: the 50 before the last one, which it does not keep. Target: 0.15 ms, whatever N.',
  )
}
