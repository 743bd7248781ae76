/** Named moments at which a writer kills itself, met by standing between the store and its database. */
import type { BetterSqlite } from '@holdfast/core/sqlite'
import { driverWith } from './driver.ts'

export const points = [
  'before a commit',
  'after a commit, before its ack',
  'amid a migration',
  'amid a compaction',
  'amid a scrub',
] as const
export type Point = (typeof points)[number]

/** Dies when it has come to the point for the `nth` time. */
export function dyingAt(point: Point, nth: number): BetterSqlite {
  let left = nth
  const reach = (here: Point) => {
    if (here === point && --left === 0) process.kill(process.pid, 'SIGKILL')
  }
  return driverWith({
    exec(sql, exec) {
      if (point === 'amid a migration' && sql.includes('PRAGMA user_version =')) {
        exec(firstHalf(sql))
        reach('amid a migration')
      }
      exec(sql)
      if (sql === 'VACUUM') reach('amid a scrub')
    },
    statement(sql, call, values) {
      if (sql === 'COMMIT') reach('before a commit')
      const result = call()
      if (sql === 'COMMIT') reach('after a commit, before its ack')
      if (values.includes('compaction.applied')) reach('amid a compaction')
      return result
    },
  })
}

/** Of the statements of a text. */
function firstHalf(sql: string): string {
  const statements = sql.split(/;\s*\n/)
  return `${statements.slice(0, Math.ceil(statements.length / 2)).join(';\n')};`
}
