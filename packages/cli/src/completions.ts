/** What may follow on a command line: asked by the scripts that `holdfast completion` prints. */
import type { Command, Option } from 'commander'
import { fill } from './program.ts'

/** `words` follow `holdfast`; the last one is being typed and may be empty. */
export async function completionsOf(root: Command, words: readonly string[]): Promise<string[]> {
  const typed = words.at(-1) ?? ''
  const command = root.commands.find((one) => words.slice(0, -1).includes(one.name()))
  if (command) await fill(command)
  const options = [...(command?.options ?? []), ...root.options].filter(({ hidden }) => !hidden)
  const before = words.at(-2)
  const asked = options.find(
    ({ long, short, required }) => required && before !== undefined && [long, short].includes(before),
  )
  const candidates = asked ? (asked.argChoices ?? []) : plainCandidates(root, command, typed, options)
  return candidates.filter((candidate) => candidate.startsWith(typed))
}

function plainCandidates(
  root: Command,
  command: Command | undefined,
  typed: string,
  options: readonly Option[],
): readonly string[] {
  if (typed.startsWith('-')) return [...options.flatMap(({ long }) => (long ? [long] : [])), '--help']
  if (!command) return root.commands.map((one) => one.name())
  return command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])
}
