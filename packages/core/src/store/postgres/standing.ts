/**
 * What is set on a connection and stays set from one commit to the next, so that a commit is one statement. Only on a
 * connection that no pooler hands to others; and each statement that rests on it asks by a mark whether it is so: where
 * the mark is another one, the statement finds no row.
 */
import type { Answer, Step } from './flush.ts'
import { markAt, type Settings, settingsThatStay } from './settings.ts'

type Send = (steps: readonly Step[]) => Promise<Answer[]>

export class Standing {
  #mark: string | undefined

  /** Sends steps that find rows by their keys, in one transaction, with what they run under set before them if it is not. */
  async send(settings: Settings, tenant: string, steps: readonly Step[], send: Send): Promise<Answer[]> {
    const mark = `${tenant} ${settings.synchronousCommit} ${settings.role}`
    const marked = steps.map((step) => withMark(step, mark))
    const isSet = this.#mark === mark
    // What fails has set nothing, and what finds no row may have lost what was set.
    this.#mark = undefined
    const set = isSet ? [] : [settingsThatStay(settings, tenant, mark)]
    const answers = (await send([...set, ...marked])).slice(set.length)
    if (answers.some(({ rows }) => rows.length > 0)) this.#mark = mark
    return answers
  }
}

function withMark(step: Step, mark: string): Step {
  return { ...step, values: step.values.with(markAt, mark) }
}
