/** A planted bug: sessions whose runs never reserve what a call may use, and so settle nothing. */
import type { Holdfast, HostCommand } from '@holdfast/core'

export function unreserved(holdfast: Holdfast): Holdfast {
  const sessions = changed(holdfast.sessions, {
    at: (id: string) => sessionWithout(holdfast.sessions.at(id)),
  })
  return changed(holdfast, { sessions })
}

type Session = ReturnType<Holdfast['sessions']['at']>
type Run = NonNullable<Awaited<ReturnType<Session['batchRun']>>['run']>

function sessionWithout(session: Session): Session {
  return changed(session, {
    batchRun: async (commands: readonly HostCommand[], options?: object) => {
      const begun = await session.batchRun(commands, options)
      return begun.run ? { ...begun, run: runWithout(begun.run) } : begun
    },
    resumeRun: async (terms: Parameters<Session['resumeRun']>[0]) =>
      runWithout(await session.resumeRun(terms)),
  })
}

const dropped = ['reserveBudget', 'settleBudget']

function runWithout<R extends Run | Awaited<ReturnType<Session['resumeRun']>>>(run: R): R {
  const batch = (commands: readonly HostCommand[]) => {
    const left = commands.filter(({ type }) => !dropped.includes(type))
    return left.length === 0 ? Promise.resolve() : run.batch(left)
  }
  return changed(run, { batch })
}

function changed<T extends object>(whole: T, change: object): T {
  return new Proxy(whole, {
    get(target, name) {
      const own = Reflect.get(change, name) ?? Reflect.get(target, name, target)
      return typeof own === 'function' ? own.bind(target) : own
    },
  })
}
