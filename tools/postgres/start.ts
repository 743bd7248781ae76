/** A real Postgres for tests, proofs and measurements: in a temporary folder, on a free port, gone with its launcher. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { appendFile, chown, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { withClient } from './client.ts'
import { processesOf, signalAll } from './processes.ts'
import { account, findPrograms, runnableBin } from './programs.ts'

export interface PostgresOptions {
  /** False: commits are not forced to the disk, so that tests are quick; a killed server may then lose some. Default true. */
  readonly durable?: boolean
  /** Folder of the programs. Default: `HOLDFAST_TEST_POSTGRES_BIN`, else the npm package's. */
  readonly bin?: string
}

/** An empty Postgres, ready for connections; throws with the end of its log where it does not start. */
export function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  return startWith(options, makeCluster)
}

/** One that copies what `upstream` writes; throws as `startPostgres`. `port`: where it finds it, default the port of `upstream`. */
export function startStandby(
  upstream: Postgres,
  { port = upstream.port, ...options }: PostgresOptions & { readonly port?: number } = {},
): Promise<Postgres> {
  return startWith(options, async (_bin, folder) => {
    await upstream.copyTo(join(folder, 'data'))
    const settings = `primary_conninfo = '${upstreamAt(port)}'\n`
    await appendFile(join(folder, 'data/postgresql.auto.conf'), settings)
    await put(join(folder, 'data/standby.signal'), '')
  })
}

type Fill = (bin: string, folder: string) => Promise<void>

async function startWith({ durable = true, bin }: PostgresOptions, fill: Fill): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-postgres-'))
  if (account) chownSync(folder, account.uid, account.gid)
  const watchdog = watch(folder)
  try {
    const programs = bin ?? findBin(folder)
    await fill(programs, folder)
    const all = { ...common, ...(durable ? {} : hasty) }
    const postgres = new Postgres({ bin: programs, folder, port: await freePort(), settings: all, watchdog })
    await postgres.start()
    return postgres
  } catch (error) {
    await dismiss(watchdog)
    throw error
  }
}

/** What a standby connects to. */
export function upstreamAt(port: number): string {
  return `host=127.0.0.1 port=${port} user=postgres application_name=standby`
}

interface Launch {
  readonly bin: string
  readonly folder: string
  readonly port: number
  readonly settings: Readonly<Record<string, string | number>>
  readonly watchdog: ChildProcess
}

export class Postgres {
  /** Of the database `postgres`, as the superuser `postgres`. */
  readonly url: string
  readonly port: number
  readonly #folder: string
  readonly #command: readonly [program: string, ...args: string[]]
  readonly #watchdog: ChildProcess
  #server: ChildProcess | undefined

  constructor({ bin, folder, port, settings, watchdog }: Launch) {
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`
    this.port = port
    this.#folder = folder
    const args = Object.entries({ ...settings, port }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    this.#command = [join(bin, 'postgres'), '-D', join(folder, 'data'), ...args]
    this.#watchdog = watchdog
  }

  /** Of the server's first process; undefined while it is stopped. */
  get pid(): number | undefined {
    return this.#server?.pid
  }

  /** Once more after a `stop`, on the same data and port. */
  async start(): Promise<void> {
    if (this.#server) throw new Error('Postgres is running already')
    const [program, ...args] = this.#command
    const log = openSync(join(this.#folder, 'log'), 'a')
    const stdio = ['ignore', log, log] as const
    const server = spawn(program, args, { ...place(this.#folder), stdio: [...stdio], detached: true })
    closeSync(log)
    await once(server, 'spawn')
    server.unref()
    server.once('exit', () => {
      this.#server = undefined
    })
    this.#server = server
    await this.#ready(server)
  }

  /** `fast` ends all connections and writes everything down; `immediate` is a crash: the next `start` recovers. */
  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    const server = this.#server
    if (!server) return
    server.ref()
    const exit = once(server, 'exit')
    server.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await exit
  }

  /** As when its machine dies: none of its processes does anything any more. */
  async kill(): Promise<void> {
    const server = this.#server
    if (!server) return
    server.ref()
    const exit = once(server, 'exit')
    signalAll(processesOf(server.pid as number), 'SIGKILL')
    await exit
    await this.#tidy()
  }

  /** Of a server that runs, as it was at a moment; what is written later is in its journal. */
  async copyTo(data: string): Promise<void> {
    await withClient(this.url, async (client) => {
      await client.query("SELECT pg_backup_start('copy', true)")
      await promisify(execFile)('cp', ['-a', join(this.#folder, 'data'), data], place(this.#folder))
      const { rows } = await client.query<{ labelfile: string }>(
        'SELECT labelfile FROM pg_backup_stop(false)',
      )
      await put(join(data, 'backup_label'), rows[0]?.labelfile ?? '')
      await rm(join(data, 'postmaster.pid'))
    })
  }

  /** Stops it and deletes its data; the second time it does nothing. */
  async remove(): Promise<void> {
    await this.stop('immediate')
    await dismiss(this.#watchdog)
  }

  async #ready(server: ChildProcess): Promise<void> {
    const limit = performance.now() + startMs
    while (!(await this.#isReady(server))) {
      if (performance.now() > limit) await this.stop('immediate')
      if (!this.#server) throw new Error(`Postgres did not start:\n${this.#logTail()}`)
      await sleep(10)
    }
  }

  /** The lock file's first line is the process, its eighth the state. */
  async #isReady({ pid }: ChildProcess): Promise<boolean> {
    const lines = await this.#lockLines()
    return lines[0] === String(pid) && ['ready', 'standby'].includes(lines[7]?.trim() ?? '')
  }

  async #lockLines(): Promise<string[]> {
    const lock = await readFile(join(this.#folder, 'data/postmaster.pid'), 'utf8').catch(absent)
    return lock.split('\n')
  }

  /** What a server leaves of itself when it is killed: its lock file, whose seventh line names its shared memory. */
  async #tidy(): Promise<void> {
    const segment = (await this.#lockLines())[6]?.trim().split(/\s+/)[1]
    if (segment !== undefined) await promisify(execFile)('ipcrm', ['-m', segment])
    await rm(join(this.#folder, 'data/postmaster.pid'))
  }

  #logTail(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8').split('\n').slice(-20).join('\n')
  }
}

const startMs = 60_000

const common = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 200,
  shared_buffers: '128MB',
  // A standby that is slow to begin finds what was written since it was copied.
  wal_keep_size: '256MB',
}

const hasty = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }

/** How every program of Postgres is run: as who, where, and without the launching user's language and time zone. */
function place(folder: string) {
  return { ...account, cwd: folder, env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } }
}

function findBin(folder: string): string {
  const found = findPrograms()
  if ('missing' in found) throw new Error(found.missing)
  return 'bin' in found ? found.bin : runnableBin(found.native, folder)
}

/** Not synced: whatever dies here, the machine does not. */
async function makeCluster(bin: string, folder: string): Promise<void> {
  const options = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync']
  await promisify(execFile)(join(bin, 'initdb'), ['-D', join(folder, 'data'), ...options], place(folder))
}

/** Belongs to the one that the server runs as. */
async function put(path: string, text: string): Promise<void> {
  await writeFile(path, text)
  if (account) await chown(path, account.uid, account.gid)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** In a process group of its own, as the server is: what interrupts the launcher does not interrupt the cleaning up. */
function watch(folder: string): ChildProcess {
  const script = join(import.meta.dirname, 'watchdog.sh')
  const watchdog = spawn('sh', [script, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    detached: true,
  })
  watchdog.unref()
  // A pipe: its handle would keep the launcher from ending.
  ;(watchdog.stdin as unknown as { unref(): void }).unref()
  return watchdog
}

async function dismiss(watchdog: ChildProcess): Promise<void> {
  if (watchdog.exitCode !== null || watchdog.signalCode !== null) return
  watchdog.ref()
  const exit = once(watchdog, 'exit')
  watchdog.stdin?.end()
  await exit
}

function absent(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return ''
  throw error
}
