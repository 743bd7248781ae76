/** Work in a process of its own: it says when it is ready, begins on a word, and gives its result. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export class Child<Result> {
  readonly #process: ChildProcess

  private constructor(script: URL, job: unknown, execArgv: readonly string[]) {
    this.#process = fork(fileURLToPath(script), [JSON.stringify(job)], { execArgv: [...execArgv] })
  }

  /** Resolves once it is ready. `execArgv`: options of Node. */
  static async start<Result>(
    script: URL,
    job: unknown,
    execArgv: readonly string[] = [],
  ): Promise<Child<Result>> {
    const child = new Child<Result>(script, job, execArgv)
    await child.#next()
    return child
  }

  /** It ends when it has given its result. */
  async run(): Promise<Result> {
    this.#process.send('go')
    const result = (await this.#next()) as Result
    this.#process.disconnect()
    await once(this.#process, 'exit')
    return result
  }

  #next(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null) =>
        reject(new Error(`a process of the benchmark ended (${code}) without a result`))
      this.#process.once('exit', ended)
      this.#process.once('message', (message) => {
        this.#process.off('exit', ended)
        resolve(message)
      })
    })
  }
}

/** In a child: `prepare` gets the job and gives the work. */
export async function serve<Job, Result>(
  prepare: (job: Job) => Promise<() => Promise<Result>>,
): Promise<void> {
  const work = await prepare(JSON.parse(process.argv[2] ?? '{}') as Job)
  process.send?.('ready')
  await once(process, 'message')
  process.send?.(await work())
}
