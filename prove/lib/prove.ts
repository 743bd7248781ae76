/** Runs a proof as `npm run prove:…` does, for the tests. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export async function prove(
  name: 'kill' | 'postgres' | 'power',
  ...args: string[]
): Promise<{ status: number | null; output: string }> {
  const script = fileURLToPath(new URL(`../${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  process.once('exit', () => child.kill())
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text
    })
  }
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { status, output }
}
