/** The process that reads a file, damaged or not: all questions, and what a check of the whole file finds. */
import { sqlite } from '@holdfast/core/sqlite'
import { messages, report } from './child.ts'
import { integrityProblems, rowProblems } from './integrity.ts'
import { type Answer, answerOf, answersOf, type Question } from './questions.ts'
import { unchecked } from './unchecked.ts'

export interface Reading {
  file: string
  questions: readonly Question[]
  planted: boolean
}

/** `answers`: one for each question; when it did not open, what opening answered for each. */
export interface Read {
  answers: Answer[]
  integrity: string[]
}

for await (const reading of messages<Reading>()) {
  report({ answers: await readAll(reading), integrity: await integrityOf(reading.file) } satisfies Read)
}

async function readAll({ file, questions, planted }: Reading): Promise<Answer[]> {
  try {
    const store = await sqlite(file).open({ clock: () => 0 })
    const answers = await answersOf(planted ? unchecked(store, file) : store, questions)
    await store.close()
    return answers
  } catch (error) {
    return questions.map(() => answerOf(error))
  }
}

async function integrityOf(file: string): Promise<string[]> {
  try {
    return [...(await integrityProblems({ file })), ...rowProblems(file)]
  } catch (error) {
    return [String(error)]
  }
}
