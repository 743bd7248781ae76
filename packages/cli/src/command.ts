/** One command: what its command line looks like, and what it does. */
import type { Command } from 'commander'
import type { Context, Ended } from './context.ts'

export interface CliCommand {
  /** Options, what `--help` says beyond the summary, examples. The arguments stand in the table. */
  define(command: Command): void
  run(context: Context, args: readonly string[], options: Record<string, unknown>): Promise<Ended | undefined>
}

interface Spec<Options> {
  define(command: Command): void
  run(context: Context, args: readonly string[], options: Options): Promise<Ended | undefined>
}

/** `Options` states the types that the option parsers of `define` give. */
export function command<Options extends object>(spec: Spec<Options>): CliCommand {
  return {
    define: spec.define,
    run: (context, args, options) => spec.run(context, args, options as Options),
  }
}

/** Examples at the end of a command's help: what is typed, and what it does. */
export function examples(command: Command, lines: readonly (readonly [typed: string, what: string])[]): void {
  const width = Math.max(...lines.map(([typed]) => typed.length))
  const shown = lines.map(([typed, what]) => `  ${typed.padEnd(width)}  ${what}`)
  command.addHelpText('after', `\nExamples:\n${shown.join('\n')}`)
}
