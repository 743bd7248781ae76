/** A workload in a process of its own, shown as it runs: gives all that it printed. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export async function outputOf(name: string, args: readonly string[] = []): Promise<string> {
  const script = fileURLToPath(new URL('../index.ts', import.meta.url))
  const child = spawn(process.execPath, [script, name, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (text) => {
    output += text
    process.stdout.write(text)
  })
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (status !== 0) throw new Error(`the workload ${name} ended with ${status}`)
  return output
}
