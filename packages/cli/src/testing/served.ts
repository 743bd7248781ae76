/** `holdfast serve` in this process. */
import { type Ran, run } from './run.ts'

export interface Served {
  url: string
  out: () => string
  stop(): Promise<Ran>
}

/** Until it is told to stop. */
export async function served(args: readonly string[], env: Record<string, string> = {}): Promise<Served> {
  let interrupt = (): void => {}
  let out = ''
  let ran: Promise<Ran> | undefined
  const url = await new Promise<string>((resolve, reject) => {
    const onOutput = (text: string) => {
      out += text
      const found = /http:\/\/[\d.]+:\d+/.exec(out)
      if (found) resolve(found[0])
    }
    const onReady = (press: () => void) => {
      interrupt = press
    }
    ran = run(['serve', '--port', '0', ...args], { env, onOutput, onReady })
    ran.then(({ err }) => reject(new Error(err)), reject)
  })
  return {
    url,
    out: () => out,
    stop: () => {
      interrupt()
      return ran as Promise<Ran>
    },
  }
}
