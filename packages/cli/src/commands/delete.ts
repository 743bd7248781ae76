/** `holdfast delete`: sessions go, with the children that they spawned. */
import { command, examples } from '../command.ts'
import { requireDeletable } from '../place/deletable.ts'
import type { Place } from '../place/place.ts'
import { resolveId } from '../sessions/resolve-id.ts'
import { sessionName } from '../sessions/session-name.ts'
import { confirmed } from '../terminal/confirm.ts'
import { count } from '../terminal/figures.ts'

interface Options {
  cascade?: true
  force?: true
  scrub?: true
  yes?: true
}

export const deleteCommand = command<Options>({
  define(command) {
    command
      .option('--cascade', 'also what was forked from them')
      .option('--force', 'also when pinned, or at work')
      .option('--scrub', 'overwrite the freed space at once; costs the size of the store')
      .option('-y, --yes', 'do not ask')
    examples(command, [
      ['holdfast delete 3768e8c2', 'asks first, at a terminal'],
      ['holdfast delete 3768e8c2 90cb2d11 --yes --scrub', 'both, at once and for good'],
    ])
  },
  async run(context, texts, { cascade = false, force = false, scrub = false, yes = false }) {
    const { output } = context
    const holdfast = await context.place()
    const ids = await idsOf(holdfast, texts)
    const names: string[] = []
    for (const id of ids) {
      const session = await holdfast.sessions.get(id)
      if (!session) continue
      requireDeletable(session, { force })
      names.push(`${id}  ${await sessionName(holdfast, session)}`)
    }
    const question = `Delete ${count(ids.length, 'session')} with all children?\n  ${names.join('\n  ')}`
    if (!(await confirmed(context, question, yes))) return 'refused'
    const all: DeletedAll = { sessionIds: [], events: 0 }
    try {
      for (const id of ids) await deleteInto(all, holdfast, id, { cascade, force })
    } catch (error) {
      if (all.sessionIds.length > 0) await tell(all)
      throw error
    }
    await tell({ ...all, ...(scrub && (await holdfast.scrub())) })
    return undefined

    async function tell({ sessionIds, events, finalAt }: DeletedAll): Promise<void> {
      if (output.wantsData)
        return output.one({ sessionIds, events, ...(finalAt !== undefined && { finalAt }) })
      await output.lines([`Deleted ${count(sessionIds.length, 'session')}, ${count(events, 'event')}.`])
      if (finalAt === undefined)
        await output.aside('The file may hold the freed bytes until: holdfast prune --scrub')
    }
  },
})

interface DeletedAll {
  sessionIds: string[]
  events: number
  finalAt?: string
}

/** Each once, in whatever ways it is named. */
async function idsOf(holdfast: Place, texts: readonly string[]): Promise<string[]> {
  const ids = new Set<string>()
  for (const text of texts) ids.add(await resolveId(holdfast, text))
  return [...ids]
}

/** Unless it went with one of those before it. */
async function deleteInto(
  all: DeletedAll,
  holdfast: Place,
  id: string,
  how: { cascade: boolean; force: boolean },
): Promise<void> {
  if (all.sessionIds.includes(id)) return
  const { sessionIds, events } = await holdfast.sessions.delete(id, how)
  all.sessionIds.push(...sessionIds)
  all.events += events
}
