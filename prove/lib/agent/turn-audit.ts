/** What must be true of a session that agents worked in, after any number of deaths: read from its log and its effects. */
import { existsSync, readFileSync } from 'node:fs'
import type { Store } from '@holdfast/core'
import { draftProblems, endProblems, resultProblems, viewProblems } from '../settled.ts'
import { type RawEvent, readSession, type StoredSession } from '../stored.ts'
import { foldProblems, gapProblems } from '../whole.ts'

export interface TurnFaults {
  /** Effects of tools that may not run twice, and did. */
  'ran twice': string[]
  /** Input without exactly one end. */
  'ends amiss': string[]
  wrong: string[]
}

/** `inputs`: how many the session was given. */
export async function turnFaults(
  store: Store,
  { session, inputs, effects }: { session: string; inputs: number; effects: string },
): Promise<TurnFaults> {
  const family = await familyOf(store, session)
  const [root] = family
  if (!root) return { 'ran twice': [], 'ends amiss': [`${session} is gone`], wrong: [] }
  const inside = await Promise.all(family.map((each) => wrongIn(store, each)))
  return {
    'ran twice': effectProblems(family, effects),
    'ends amiss': family.flatMap((each) => [
      ...inputProblems(each, each === root ? inputs : 1),
      ...endProblems(each.events).map((problem) => `${each.sessionId}: ${problem}`),
    ]),
    wrong: [...inside.flat(), ...childProblems(family)],
  }
}

/** A session and its children. */
export async function familyOf(store: Store, session: string): Promise<StoredSession[]> {
  const root = await readSession(store, session)
  if (!root) return []
  const ids = of(root, 'child.spawned').map(({ data }) => String(data.childId))
  const children = await Promise.all(ids.map((id) => readSession(store, id)))
  return [root, ...children.filter((child) => child !== undefined)]
}

async function wrongIn(store: Store, each: StoredSession): Promise<string[]> {
  const problems = [
    ...gapProblems(each),
    ...foldProblems(each),
    ...resultProblems(each.events),
    ...viewProblems(each),
    ...(await draftProblems(store, each.sessionId)),
    ...[...of(each, 'run.failed'), ...of(each, 'run.cancelled')].map(({ data }) => JSON.stringify(data)),
  ]
  return problems.map((problem) => `${each.sessionId}: ${problem}`)
}

function of({ events }: StoredSession, type: string): RawEvent[] {
  return events.filter((event) => event.type === type)
}

function inputProblems(each: StoredSession, expected: number): string[] {
  const said = of(each, 'message.appended').filter(({ data }) => data.role === 'user').length
  const begun = of(each, 'run.started').length
  return said === expected && begun === expected
    ? []
    : [`${each.sessionId} was told ${expected} times, has ${said} inputs and ${begun} runs`]
}

function childProblems([root, ...children]: readonly StoredSession[]): string[] {
  const ended = root ? of(root, 'child.finished').length : 0
  return children.length === 1 && ended === 1
    ? []
    : [`${root?.sessionId} has ${children.length} children, and heard the end of ${ended}`]
}

/** Lines are `<tool> <session>:<round>:<call>`. Only `look` may run again, under the key that it had. */
function effectProblems(family: readonly StoredSession[], effects: string): string[] {
  const lines = existsSync(effects) ? readFileSync(effects, 'utf8').trimEnd().split('\n') : []
  return family.flatMap(({ sessionId }) => {
    const own = lines.filter((line) => line.split(' ')[1]?.startsWith(`${sessionId}:`))
    const looked = new Set(own.filter((line) => line.startsWith('look ')))
    return ['charge', 'send']
      .flatMap((tool) => {
        const times = own.filter((line) => line.startsWith(`${tool} `)).length
        return times > 1 ? [`${tool} ran ${times} times in ${sessionId}`] : []
      })
      .concat(looked.size > 1 ? [`${sessionId} looked under ${looked.size} keys`] : [])
  })
}
