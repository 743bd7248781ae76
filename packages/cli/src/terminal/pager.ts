/** Long output a screen at a time, where a person is at a terminal. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Output } from './output.ts'
import { ReaderLeft, type World } from './world.ts'

export interface PagerOptions {
  /** The program with its options; empty for none. Default `less`. */
  pager: string | undefined
}

/** Shows what fits on the screen at once; hands anything longer to the pager. */
export async function paged(
  world: World,
  output: Output,
  lines: AsyncIterable<string>,
  { pager = 'less' }: PagerOptions,
): Promise<void> {
  if (!world.stdout.isTerminal || pager.trim() === '') return output.lines(lines)
  const iterator = lines[Symbol.asyncIterator]()
  const first: string[] = []
  while (first.length < world.stdout.rows) {
    const next = await iterator.next()
    if (next.done) return output.lines(first)
    first.push(next.value)
  }
  const rest = joined(first, iterator)
  // Ctrl-C is for the pager while it shows.
  const stop = world.onInterrupt(() => {})
  try {
    if (!(await throughPager(world, pager, rest))) await output.lines(rest)
  } finally {
    stop()
  }
}

async function* joined(first: readonly string[], rest: AsyncIterator<string>): AsyncGenerator<string> {
  yield* first
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}

/** False when there is no such program; nothing of `lines` was taken then. */
async function throughPager(world: World, pager: string, lines: AsyncIterable<string>): Promise<boolean> {
  const [program = '', ...args] = pager.trim().split(/\s+/)
  const env = { LESS: 'FRX', LV: '-c', ...world.env }
  const child = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'], env })
  const ended = once(child, 'close')
  const started = await Promise.race([once(child, 'spawn').then(() => true), ended.then(() => false)]).catch(
    isMissing,
  )
  if (!started) {
    ended.catch(() => false)
    return false
  }
  // The pager may be left before the end: what it does not take is not written.
  let isLeft = false
  child.stdin.on('error', () => {
    isLeft = true
  })
  for await (const line of lines) {
    if (isLeft || child.exitCode !== null) break
    await new Promise<void>((resolve) => void child.stdin.write(`${line}\n`, () => resolve()))
  }
  child.stdin.end()
  await ended
  return true
}

function isMissing(error: NodeJS.ErrnoException): boolean {
  if (error.code === 'ENOENT' || error.code === 'EACCES') return false
  throw new ReaderLeft('the pager failed', { cause: error })
}
