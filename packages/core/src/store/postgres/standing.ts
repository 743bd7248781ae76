/**
 * What is set on a connection and stays set from one commit to the next, so that a commit is one statement. Only on a
 * connection that no pooler hands to others; and each statement that rests on it asks by a mark whether it is so: where
 * the mark is another one, the statement finds no row.
 */
import type { SqlValue } from './driver.ts'
import type { Answer, Step } from './flush.ts'
import { markStep, type Settings, settingsStepForKey } from './settings.ts'

type Send = (steps: readonly Step[]) => Promise<Answer[]>

export class Standing {
  #mark: string | undefined
  #isLost = false

  /** Somebody else has changed what was set: this connection is not trusted again. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Sends steps that have a place for the mark, in one transaction, with what they run under set before them if it is not. */
  async send(settings: Settings, tenant: string, steps: readonly Step[], send: Send): Promise<Answer[]> {
    const mark = `${tenant} ${settings.synchronousCommit} ${settings.role}`
    const isSet = this.#mark === mark
    const set = isSet ? [] : [settingsStepForKey(settings, tenant, mark)]
    // What fails has set nothing.
    this.#mark = undefined
    const answers = (await send([...set, ...steps.map((step) => withMark(step, mark))])).slice(set.length)
    if (isSet && answers.every(({ rows }) => rows.length === 0)) this.#isLost = await isAnother(mark, send)
    this.#mark = mark
    return answers
  }
}

/** No row is found by a commit that is refused, and where the mark is another one. */
async function isAnother(mark: string, send: Send): Promise<boolean> {
  const [answer] = await send([markStep])
  return answer?.rows[0]?.[0] !== mark
}

function withMark(step: Step, mark: string): Step {
  const values: SqlValue[] = [...step.values]
  values[step.markAt as number] = mark
  return { ...step, values }
}
