/** Where the parts of the command meet: arguments in, an exit code out. */
import { CommanderError } from 'commander'
import { type Ending, exitCodes } from './exit-codes.ts'
import { type Program, programOf } from './program.ts'
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
    await printed(world, program)
    return error.exitCode === 0 ? 'ok' : 'usage'
  }
  return program.ended() ?? 'ok'
}

/** Help is printed by commander while it parses; it is written afterwards, when a pipe can be waited for. */
async function printed(world: World, { printed: { out, err } }: Program): Promise<void> {
  if (out !== '') await world.stdout.write(out)
  if (err !== '') await world.stderr.write(err)
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
  const asJson = world.args.some((arg) => arg === '--json' || arg === '--jsonl')
  const { ending, lines } = await reportError(error, { asJson, debug: Boolean(world.env.HOLDFAST_DEBUG) })
  await world.stderr.write(lines.map((line) => `${line}\n`).join(''))
  return ending
}
