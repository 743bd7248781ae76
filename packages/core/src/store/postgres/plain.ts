/** One Postgres: a commit is one statement that judges and writes, with what lies beside in the same flush. */
import { stepsOf, stepsOfCreation } from './commit-steps.ts'
import type { Target } from './target.ts'

export const plain: Target = {
  name: 'postgres',
  flush: (connection, steps) => connection.flush(steps),
  inBlock: (connection, steps) => connection.flush(steps),
  async commit({ db, clock, known }, tenant, commits) {
    const [answer] = await db.write(tenant, stepsOf({ nowMs: clock.forStatement(), known }, tenant, commits))
    return answer?.rows ?? []
  },
  stepsOf: (ground, tenant, commit) => stepsOf(ground, tenant, [commit]),
  stepsOfCreation,
}
