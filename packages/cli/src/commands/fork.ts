/** `holdfast fork`: another way on from a point of a session. */
import { command, examples } from '../command.ts'
import { resolveId } from '../sessions/resolve-id.ts'
import { positiveNumber } from '../values.ts'

interface Options {
  at?: number
  title?: string
  model?: string
}

export const forkCommand = command<Options>({
  define(command) {
    command
      .option('--at <seq>', 'through this seq; default the end', positiveNumber)
      .option('--title <title>', 'what the fork is called')
      .option('--model <model>', 'what model it is bound to')
    examples(command, [
      ['holdfast fork last', 'from the end of the session that changed last'],
      ['holdfast fork 3768e8c2 --at 120 --title "without the cache"', 'from seq 120, as show gives it'],
    ])
  },
  async run(context, [text = ''], { at, title, model }) {
    const { output } = context
    const holdfast = await context.place()
    const source = await holdfast.sessions.open(await resolveId(holdfast, text))
    const input = { ...(title !== undefined && { title }), ...(model !== undefined && { model }) }
    const fork = await source.fork(input, at === undefined ? {} : { atSeq: at })
    const view = await fork.view()
    if (output.wantsData) await output.one(view)
    else {
      await output.lines([fork.id])
      await output.aside(
        `Forked from ${source.id} at #${view.forkedFrom?.seq}. holdfast diff ${source.id} ${fork.id}`,
      )
    }
    return undefined
  },
})
