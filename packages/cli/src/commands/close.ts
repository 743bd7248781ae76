/** `holdfast close`: ends a session. */
import { HoldfastError, type Outcome, outcome as outcomes } from '@holdfast/protocol'
import { command, examples } from '../command.ts'
import { resolveId } from '../sessions/resolve-id.ts'
import { choice } from '../values.ts'

interface Options {
  outcome?: Outcome
  reason?: string
  cancel?: true
}

export const closeCommand = command<Options>({
  define(command) {
    command
      .addOption(choice('--outcome <outcome>', 'how it ended', outcomes.options))
      .option('--reason <text>', 'why')
      .option('--cancel', 'cancel its run, when one is live')
    examples(command, [
      ['holdfast close 3768e8c2', 'its work is done'],
      ['holdfast close last --outcome failed --reason "wrong branch"', 'with how and why'],
    ])
  },
  async run(context, [text = ''], { outcome, reason, cancel }) {
    const { output } = context
    const holdfast = await context.place()
    const id = await resolveId(holdfast, text)
    const { status, endedAt } = await (await holdfast.sessions.open(id)).view()
    if (status === 'expired') throw new HoldfastError('session_expired', `Session ${id} is expired already.`)
    if (endedAt !== undefined) throw new HoldfastError('session_closed', `Session ${id} is closed already.`)
    const closed = await holdfast.sessions.at(id).close({
      ...(outcome !== undefined && { outcome }),
      ...(reason !== undefined && { reason }),
      ...(cancel && { cancel }),
    })
    const view = await closed.view()
    if (output.wantsData) await output.one(view)
    else await output.lines([`Closed ${closed.id} (${view.status}).`])
    return undefined
  },
})
