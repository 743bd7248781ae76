/** A process of its own that is asked again and again, such as a server or those who call it. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export class Helper<Ready, Question, Answer> {
  readonly #process: ChildProcess
  #ready: Ready | undefined

  private constructor(script: URL, job: unknown, flags: readonly string[]) {
    const execArgv = [...process.execArgv, ...flags]
    this.#process = fork(fileURLToPath(script), [JSON.stringify(job)], {
      serialization: 'advanced',
      execArgv,
    })
  }

  /** Resolves once it is ready. `flags` are Node's. */
  static async start<Ready, Question, Answer>(
    script: URL,
    job: unknown,
    flags: readonly string[] = [],
  ): Promise<Helper<Ready, Question, Answer>> {
    const helper = new Helper<Ready, Question, Answer>(script, job, flags)
    helper.#ready = (await helper.#next()) as Ready
    return helper
  }

  /** What it said when it was ready. */
  get ready(): Ready {
    return this.#ready as Ready
  }

  /** One question at a time. */
  ask(question: Question): Promise<Answer> {
    this.#process.send(question as object)
    return this.#next() as Promise<Answer>
  }

  async end(): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.disconnect()
    await ended
  }

  #next(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`a process of the benchmark ended (${code})`))
      this.#process.once('exit', ended)
      this.#process.once('message', (message) => {
        this.#process.off('exit', ended)
        resolve(message)
      })
    })
  }
}

/** In the process: `prepare` gets the job, and gives what to say and how to answer; `end` lets go of everything. */
export async function help<Job, Ready, Question, Answer>(
  prepare: (job: Job) => Promise<{
    ready: Ready
    answer: (question: Question) => Promise<Answer> | Answer
    end: () => Promise<void> | void
  }>,
): Promise<void> {
  const { ready, answer, end } = await prepare(JSON.parse(process.argv[2] ?? '{}') as Job)
  process.on('message', async (question) => process.send?.(await answer(question as Question)))
  process.once('disconnect', () => void end())
  process.send?.(ready)
}
