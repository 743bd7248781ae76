/** Reads what a person types at the terminal. */
import { createInterface } from 'node:readline'
import type { ReadLineOptions } from './world.ts'

/** One line, or the lines of a paste: they come at once, and are one text. Undefined after Ctrl-C, Ctrl-D or the signal. */
export async function readLine(
  prompt: string,
  { history, signal }: ReadLineOptions,
): Promise<string | undefined> {
  const { stdin: input, stdout: output } = process
  const reading = createInterface({ input, output, prompt, history: history.toReversed(), signal })
  const lines: string[] = []
  const typed = await new Promise<string | undefined>((resolve) => {
    reading.on('line', (line) => {
      lines.push(line)
      setImmediate(() => {
        if (reading.line === '') resolve(lines.join('\n'))
      })
    })
    reading.once('SIGINT', () => resolve(undefined))
    reading.once('close', () => resolve(undefined))
    reading.prompt()
  })
  if (typed === undefined) output.write('\n')
  reading.close()
  return typed
}
