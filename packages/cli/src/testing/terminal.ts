/** The command in a real pseudo-terminal, as a person has it. */
import { spawn as spawnChild } from 'node:child_process'
import { join } from 'node:path'
import { spawn } from '@lydell/node-pty'

const bin = join(import.meta.dirname, '../holdfast.js')

export interface Session {
  /** All that the terminal was sent so far. */
  readonly shown: string
  type(keys: string): void
  /** Resolves once the terminal shows it. */
  shows(pattern: RegExp): Promise<void>
  /** Resolves with the exit code. */
  ended: Promise<number>
  /** As kill -9 does. */
  kill(): void
}

export interface TerminalOptions {
  env: Readonly<Record<string, string>>
  columns?: number
}

export const ctrlC = '\u0003'
export const ctrlD = '\u0004'

export function openTerminal(args: readonly string[], { env, columns = 100 }: TerminalOptions): Session {
  const terminal = spawn(process.execPath, [bin, ...args], {
    name: 'xterm-256color',
    cols: columns,
    rows: 24,
    env: { PATH: process.env.PATH ?? '', HOME: env.HOME ?? '/nowhere', ...env },
  })
  let shown = ''
  const waiting = new Set<() => void>()
  terminal.onData((data) => {
    shown += data
    for (const look of [...waiting]) look()
  })
  const ended = new Promise<number>((resolve) => {
    terminal.onExit(({ exitCode }) => {
      resolve(exitCode)
      for (const look of [...waiting]) look()
    })
  })
  return {
    get shown() {
      return shown
    },
    type: (keys) => terminal.write(keys),
    shows: (pattern) =>
      new Promise((resolve) => {
        const look = () => {
          if (!pattern.test(shown)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    ended,
    kill: () => terminal.kill('SIGKILL'),
  }
}

export interface Piped {
  code: number | null
  out: string
  err: string
}

/** A line of the shell; `holdfast` in it is the command. */
export function shell(line: string, env: Readonly<Record<string, string>>): Promise<Piped> {
  const script = `holdfast() { "${process.execPath}" "${bin}" "$@"; }\n${line}`
  const child = spawnChild('/bin/sh', ['-c', script], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const piped: Piped = { code: null, out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    piped.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    piped.err += text
  })
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ ...piped, code }))
  })
}
