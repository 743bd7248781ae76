/** What a flipped bit did to the answers, judged by what `docs/decisions/025-damage-on-disk.md` promises. */
import { type Answer, damagedItem, type Question } from './questions.ts'

/**
 * `harmless`: every answer as before. `detected`: what is not as before is an error. `missing`: something was not
 * found, and a check of the whole file finds why. `misled`: a search or a due list, which is judged again on the
 * sessions' own rows, says otherwise. `shorter`: as before the last commit. `wrong`: anything else.
 */
export type Verdict = 'harmless' | 'detected' | 'misled' | 'missing' | 'shorter' | 'wrong'

const told = ['store_corrupt', 'store_unsupported']

export interface Judged {
  verdict: Verdict
  /** Of a detected one: sessions whose questions were answered with an error; lists apart. */
  hurt: number
  /** The first answers that must not be. */
  examples: string[]
}

export function judge(
  questions: readonly Question[],
  {
    answers,
    before,
    now,
    isFound,
  }: { answers: readonly Answer[]; before: readonly Answer[]; now: readonly Answer[]; isFound: boolean },
): Judged {
  const single = now.map((answer, index) => {
    return verdictOf(answer, answers[index] as Answer, { isFound, name: questions[index]?.name ?? '' })
  })
  const lacking = new Set(
    questions
      .filter(({ name }, index) => name === 'readParts' && single[index] === 'missing')
      .map(({ about }) => about),
  )
  // What a session says of itself is made of its parts, which are judged for themselves.
  const each = questions.map(({ of, about }, index) => {
    return of === 'session' && single[index] === 'wrong' && lacking.has(about) ? 'missing' : single[index]
  })
  const at = (wanted: Verdict) => questions.filter((_, index) => each[index] === wanted)
  const hurt = new Set(at('detected').flatMap(({ about }) => about ?? [])).size
  const wrong = each.flatMap((verdict, index) => (verdict === 'wrong' ? [index] : []))
  if (wrong.length === 0) {
    const worst = (['missing', 'misled', 'detected'] as const).find((verdict) => each.includes(verdict))
    return { verdict: worst ?? 'harmless', hurt, examples: [] }
  }
  if (now.every((answer, index) => isSame(answer, before[index] as Answer)))
    return { verdict: 'shorter', hurt: 0, examples: [] }
  const examples = wrong.slice(0, 2).map((index) => {
    const { name, args } = questions[index] as Question
    return `${name} ${JSON.stringify(args)}: ${JSON.stringify(now[index])}, was ${JSON.stringify(answers[index])}`
  })
  return { verdict: 'wrong', hurt, examples: examples.map((text) => text.slice(0, 300)) }
}

const hints = ['search', 'listDue']

function verdictOf(now: Answer, was: Answer, { isFound, name }: { isFound: boolean; name: string }): Verdict {
  if (isSame(now, was)) return 'harmless'
  if ('code' in now)
    return told.includes(now.code) ? 'detected' : isFound && now.code === 'not_found' ? 'missing' : 'wrong'
  if ('wrong' in now || !('items' in was)) return 'wrong'
  if (hints.includes(name)) return 'misled'
  // A sum is one item, and may lack a row.
  if (name === 'sumUsage' && isFound) return 'missing'
  const left = now.items.filter((item) => item !== damagedItem)
  if (!isWithin(left, was.items)) return 'wrong'
  if (now.items.length === was.items.length) return 'detected'
  return isFound ? 'missing' : 'wrong'
}

function isSame(a: Answer, b: Answer): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** In order, with others left out. */
function isWithin(items: readonly string[], all: readonly string[]): boolean {
  let at = 0
  return items.every((item) => {
    at = all.indexOf(item, at) + 1
    return at > 0
  })
}
