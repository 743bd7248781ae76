/** One Postgres: a commit is one statement that judges and writes, with what lies beside in the same flush. */
import { stepsOf, stepsOfCreation } from './commit-steps.ts'
import type { Target } from './target.ts'

export const plain: Target = {
  name: 'postgres',
  sending: {
    flush: (connection, steps) => connection.flush(steps),
    inBlock: (connection, steps) => connection.flush(steps),
  },
  way: {
    async commit({ db, clock, known }, tenant, commits) {
      const ground = { nowMs: clock.forStatement(), known }
      const [answer] = await db.write(tenant, stepsOf(ground, tenant, commits))
      return answer?.rows ?? []
    },
    stepsOf: (ground, tenant, commit) => stepsOf(ground, tenant, [commit]),
    stepsOfCreation,
  },
}
