/** The command line as commander sees it. A command's options are filled in when it is called, not before. */
import { Command, Help, Option } from 'commander'
import type { CliCommand } from './command.ts'
import { commands } from './commands/index.ts'
import { Context, type Ended } from './context.ts'
import type { PlaceOptions } from './place/settings.ts'
import { type Format, Output } from './terminal/output.ts'
import { wantsColour } from './terminal/style.ts'
import type { World } from './terminal/world.ts'

export interface GlobalOptions extends PlaceOptions {
  json?: true
  jsonl?: true
  color: boolean
}

export interface Program {
  root: Command
  /** Help that was asked for: it is printed while commander parses, and kept until a pipe can be waited for. */
  printed(): string
  /** How the command ended, once it was run. */
  ended(): Ended
}

const version = '0.1.0'

export function programOf(world: World): Program {
  let printed = ''
  let ended: Ended
  const root = new Command('holdfast')
    .version(version, '-V, --version', 'print the version')
    .description('Keeps the sessions of AI agents: one durable log each, to read, search, follow and fork.')
    .usage('<command> [options]')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, helpWidth: helpWidth(world), formatHelp })
    .configureOutput({
      writeOut(text) {
        printed += text
      },
      // What it refuses is told by `usageError`.
      writeErr() {},
      getOutHelpWidth: () => helpWidth(world),
      getOutHasColors: () => wantsColour(world.env, world.stdout.isTerminal),
    })
  addGlobalOptions(root)
  for (const [name, { args, about, group }] of Object.entries(commands)) {
    root.command(`${name} ${args}`.trim()).summary(about).description(sentence(about)).helpGroup(group)
  }
  const loaded = new Map<Command, CliCommand>()
  root.hook('preSubcommand', async (_root, called) => {
    loaded.set(called, await fill(called))
    called.action(async () => {
      const command = loaded.get(called) as CliCommand
      ended = await runCommand(world, called, command)
    })
  })
  return { root, printed: () => printed, ended: () => ended }
}

/** Gives a command of the table its options and its help. */
export async function fill(called: Command): Promise<CliCommand> {
  const entry = commands[called.name()]
  if (!entry) throw new Error(`no command ${called.name()}`)
  const command = await entry.load()
  command.define(called)
  return command
}

function addGlobalOptions(root: Command): void {
  root
    .optionsGroup('Options of every command:')
    .addOption(new Option('--store <path>', 'SQLite file, or postgres:// URL'))
    .addOption(new Option('--server <url>', 'ask this server, with HOLDFAST_KEY').conflicts('store'))
    .addOption(new Option('--tenant <id>', 'whose sessions'))
    .addOption(new Option('--config <file>', 'settings, in place of the nearest holdfast.config.json or .ts'))
    .addOption(new Option('--json', 'one JSON document: {data, next}').conflicts('jsonl'))
    .addOption(new Option('--jsonl', 'one JSON text a line'))
    .addOption(new Option('--no-color', 'without colour, as NO_COLOR does'))
}

async function runCommand(world: World, called: Command, command: CliCommand): Promise<Ended> {
  const options = called.optsWithGlobals<GlobalOptions>()
  const output = new Output(world, { format: formatOf(options), colour: options.color })
  const context = new Context(world, output, options)
  try {
    return await command.run(context, called.args, options as unknown as Record<string, unknown>)
  } finally {
    await context.close()
  }
}

/** Commands go before options: they are what a newcomer looks for. */
function formatHelp(command: Command, help: Help): string {
  const blocks = Help.prototype.formatHelp.call(help, command, help).trimEnd().split('\n\n')
  if (command.parent) return `${blocks.join('\n\n')}\n`
  const isOptions = (block: string) => block.startsWith('Options')
  return `${[...blocks.filter((block) => !isOptions(block)), ...blocks.filter(isOptions)].join('\n\n')}\n`
}

function formatOf({ json, jsonl }: GlobalOptions): Format {
  if (jsonl) return 'jsonl'
  return json ? 'json' : 'text'
}

function helpWidth({ stdout }: World): number {
  return stdout.isTerminal ? Math.min(stdout.columns, 110) : 100
}

function sentence(about: string): string {
  return `${about.charAt(0).toUpperCase()}${about.slice(1)}.`
}
