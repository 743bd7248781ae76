/** The process as a world. */
import { homedir } from 'node:os'
import { ReaderLeft, type Sink, type World } from './world.ts'

export function processWorld(): World {
  const { stdin, stdout, stderr } = process
  return {
    args: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    platform: process.platform,
    stdout: sinkOf(stdout),
    stderr: sinkOf(stderr),
    canAsk: stdin.isTTY === true && stdout.isTTY === true,
    async *inputLines(signal) {
      const { createInterface } = await import('node:readline')
      yield* createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY, signal })
    },
    async readLine(prompt, options) {
      const { readLine } = await import('./read-line.ts')
      return readLine(prompt, options)
    },
    now: () => Date.now(),
    onInterrupt(listener) {
      process.on('SIGINT', listener)
      process.on('SIGTERM', listener)
      return () => {
        process.off('SIGINT', listener)
        process.off('SIGTERM', listener)
      }
    },
  }
}

function sinkOf(stream: NodeJS.WriteStream): Sink {
  // Each write is told of its own failure; without a listener the stream would throw it once more.
  stream.on('error', () => {})
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => (error ? reject(told(error)) : resolve()))
      }),
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.columns ?? 80
    },
    get rows() {
      return stream.rows ?? 24
    },
  }
}

function told(error: NodeJS.ErrnoException): Error {
  const gone = ['EPIPE', 'EOF', 'ERR_STREAM_DESTROYED']
  return gone.includes(error.code ?? '') ? new ReaderLeft('nobody reads the output', { cause: error }) : error
}
