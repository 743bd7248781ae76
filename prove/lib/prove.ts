/** Runs proofs as `npm run prove:…` does, for the tests and for `npm run prove`. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { compileCache } from './compile-cache.ts'
import { type Summary, summaryOf } from './summary.ts'

export interface Proved {
  status: number | null
  output: string
  summary: Summary
}

/** Throws with what was printed when the proof broke off. */
export async function prove(name: string, ...args: string[]): Promise<Proved> {
  const { summary, ...ended } = await attempt(name, ...args)
  if (!summary) throw new Error(`${name} broke off:\n${ended.output}`)
  return { ...ended, summary }
}

/** `summary` is absent when the proof broke off. */
export async function attempt(
  name: string,
  ...args: string[]
): Promise<Omit<Proved, 'summary'> & Partial<Pick<Proved, 'summary'>>> {
  const script = fileURLToPath(new URL(`../${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...compileCache },
  })
  const kill = () => child.kill()
  process.once('exit', kill)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text
    })
  }
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve))
  process.off('exit', kill)
  const summary = summaryOf(output)
  return { status, output, ...(summary && { summary }) }
}
