/** Where the parts of the command meet: arguments in, an exit code out. */
import { CommanderError } from 'commander'
import { commands } from './commands/index.ts'
import { type Ending, exitCodes } from './exit-codes.ts'
import { programOf } from './program.ts'
import { ReaderLeft, type World } from './terminal/world.ts'

export async function main(world: World): Promise<number> {
  try {
    return exitCodes[await ran(world)].code
  } catch (error) {
    if (error instanceof ReaderLeft) return exitCodes.ok.code
    return exitCodes[await reported(world, error)].code
  }
}

async function ran(world: World): Promise<Ending> {
  const [first, ...rest] = world.args
  if (first === undefined) return welcome(world)
  if (first === '__complete') return complete(world, rest)
  const args = first === 'help' ? [...rest, '--help'] : world.args
  const program = programOf(world)
  try {
    await program.root.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    const { usageError } = await import('./usage-error.ts')
    const refusal = usageError(error, program.root)
    if (refusal) throw refusal
    await world.stdout.write(program.printed())
  }
  return program.ended() ?? 'ok'
}

/** `holdfast` alone: what there is to type, and where things are kept. */
async function welcome(world: World): Promise<Ending> {
  const { welcomeLines } = await import('./welcome.ts')
  const lines = await welcomeLines(world, programOf(world).root)
  await world.stdout.write(lines.join('\n'))
  return 'ok'
}

async function complete(world: World, words: readonly string[]): Promise<Ending> {
  const { completionsOf } = await import('./completions.ts')
  const found = await completionsOf(programOf(world).root, words)
  await world.stdout.write(found.map((word) => `${word}\n`).join(''))
  return 'ok'
}

async function reported(world: World, error: unknown): Promise<Ending> {
  const { reportError } = await import('./report-error.ts')
  const { ending, lines } = await reportError(error, {
    asJson: wantsJson(world),
    debug: Boolean(world.env.HOLDFAST_DEBUG),
    command: world.args.find((arg) => Object.hasOwn(commands, arg)),
  })
  await world.stderr.write(lines.map((line) => `${line}\n`).join(''))
  return ending
}

/** Asked of the words themselves: they may be what is wrong. */
function wantsJson({ args }: World): boolean {
  const end = args.indexOf('--')
  const options = end < 0 ? args : args.slice(0, end)
  return options.includes('--json') || options.includes('--jsonl')
}
