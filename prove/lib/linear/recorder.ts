/** A process of clients, seen from the proof: gives what its clients did, also when it dies on the way. */
import { Child } from '../child.ts'
import type { Recorded } from './check.ts'
import type { HistoryTask, LinearReport, Op } from './task.ts'

interface Recording {
  records: Map<string, Recorded<Op>>
  done(records: Recorded<Op>[]): void
}

export class Recorder {
  readonly #child: Child<LinearReport[]>
  readonly #recordings = new Map<number, Recording>()
  #isKilled = false

  static async start(): Promise<Recorder> {
    const child = new Child<LinearReport[]>(new URL('./clients.ts', import.meta.url))
    await child.require()
    return new Recorder(child)
  }

  private constructor(child: Child<LinearReport[]>) {
    this.#child = child
    void this.#listen()
  }

  /** What was under way has no answer. */
  record(task: HistoryTask): Promise<Recorded<Op>[]> {
    this.#child.send(task)
    return new Promise((done) => this.#recordings.set(task.history, { records: new Map(), done }))
  }

  kill(): void {
    this.#isKilled = true
    this.#child.kill()
  }

  async #listen(): Promise<void> {
    for (let said = await this.#child.next(); said; said = await this.#child.next())
      for (const one of said) this.#take(one)
    if (!this.#isKilled) throw new Error(`clients ended (${await this.#child.end()}):\n${this.#child.errors}`)
    for (const history of this.#recordings.keys()) this.#finish(history)
  }

  #take(said: LinearReport): void {
    if ('ready' in said) return
    const records = this.#recordings.get(said.history)?.records
    if ('done' in said) this.#finish(said.history)
    else if ('op' in said) records?.set(said.id, { op: said.op, begin: said.begin })
    else if (isOutage(said.answer)) records?.delete(said.id)
    else answered(records?.get(said.id), said)
  }

  #finish(history: number): void {
    const recording = this.#recordings.get(history)
    this.#recordings.delete(history)
    recording?.done([...recording.records.values()])
  }
}

/** Nothing happened: what did all the same is found where it shows. */
function isOutage(answer: unknown): boolean {
  return answer === 'store_busy' || answer === 'store_unavailable'
}

function answered(
  record: Recorded<Op> | undefined,
  { answer, wallTo, end }: Extract<LinearReport, { end: number }>,
): void {
  if (!record || answer === 'commit_unknown') return
  record.end = end
  record.op.answer = answer as never
  if ('wall' in record.op) record.op.wall.to = wallTo
}
