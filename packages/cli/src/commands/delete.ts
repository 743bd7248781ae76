/** `holdfast delete`: sessions go, with the children that they spawned. */
import { command, examples } from '../command.ts'
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
    const ids: string[] = []
    for (const text of texts) ids.push(await resolveId(holdfast, text))
    const names: string[] = []
    for (const id of ids) {
      const session = await holdfast.sessions.get(id)
      if (session) names.push(`${id}  ${await sessionName(holdfast, session)}`)
    }
    const question = `Delete ${count(ids.length, 'session')} with all children?\n  ${names.join('\n  ')}`
    if (!(await confirmed(context, question, yes))) return 'refused'
    const sessionIds: string[] = []
    let events = 0
    for (const id of ids) {
      const deleted = await holdfast.sessions.delete(id, { cascade, force })
      sessionIds.push(...deleted.sessionIds)
      events += deleted.events
    }
    const final = scrub ? await holdfast.scrub() : {}
    if (output.wantsData) await output.one({ sessionIds, events, ...final })
    else {
      await output.lines([`Deleted ${count(sessionIds.length, 'session')}, ${count(events, 'event')}.`])
      if (!scrub) await output.aside('The file may hold the freed bytes until: holdfast prune --scrub')
    }
    return undefined
  },
})
