/** What is wrong with a command line, in our own words: commander tells it in a way of its own. */
import { HoldfastError } from '@holdfast/protocol'
import type { Command, CommanderError } from 'commander'
import { nearest } from './nearest.ts'

/** Undefined where commander only showed what it was asked for. */
export function usageError(error: CommanderError, root: Command): HoldfastError | undefined {
  const [name] = root.args
  const names = root.commands.map((command) => command.name())
  if (name !== undefined && !name.startsWith('-') && !names.includes(name)) return unknownCommand(name, names)
  if (error.exitCode === 0) return undefined
  if (error.code === 'commander.help') return refused('Name a command.\n  holdfast --help lists them.')
  return refused(error.message.replace(/^error: /, ''))
}

function unknownCommand(name: string, names: readonly string[]): HoldfastError {
  const meant = nearest(name, names)
  const way = meant === undefined ? '  holdfast --help lists them.' : `(Did you mean ${meant}?)`
  return refused(`unknown command '${name}'\n${way}`)
}

function refused(message: string): HoldfastError {
  return new HoldfastError('invalid_input', message)
}
