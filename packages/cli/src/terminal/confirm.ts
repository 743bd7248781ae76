/** Asks a person before something goes for good. */
import { HoldfastError } from '@holdfast/protocol'
import type { Context } from '../context.ts'

/** True with `yes`. Where nobody can be asked, `invalid_input`. */
export async function confirmed(context: Context, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true
  if (!context.world.canAsk || context.output.wantsData) {
    throw new HoldfastError('invalid_input', `${question}\n  Nobody can be asked here: give --yes.`)
  }
  const { confirm, updateSettings } = await import('@clack/prompts')
  // Ctrl-D.
  updateSettings({ aliases: { '\u0004': 'cancel' } })
  return (await confirm({ message: question, initialValue: false })) === true
}
