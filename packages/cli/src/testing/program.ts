/** The command as a process of its own, with pipes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const bin = join(import.meta.dirname, '../holdfast.js')

export interface Started {
  child: ChildProcess
  /** Resolves once the output holds it; rejects when the process ends without. */
  says(text: string): Promise<void>
  ended: Promise<{ code: number | null; out: string; err: string }>
}

export function started(args: readonly string[]): Started {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const ended = once(child, 'close').then(([code]) => ({ code, out, err }))
  const early = ended.then(() => {
    throw new Error(`it ended: ${err}`)
  })
  early.catch(() => {})
  return {
    child,
    async says(text) {
      while (!out.includes(text)) await Promise.race([once(child.stdout, 'data'), early])
    },
    ended,
  }
}
