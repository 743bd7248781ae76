/** Waiting for a server that restarts or has no connection to spare, and trying anew what collided with another. */
import { setTimeout as sleep } from 'node:timers/promises'
import { pauseBefore } from '../pause.ts'
import { isCollision, isOutage } from './errors.ts'

export const patienceMs = 30_000
const longestOutagePauseMs = 200
const longestCollisionPauseMs = 50
const collisionTries = 12

/** For what took no effect when it fails: runs it until the server is there, or for `limitMs`. */
export async function patiently<T>(attempt: () => Promise<T>, limitMs = patienceMs): Promise<T> {
  const giveUpAt = performance.now() + limitMs
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (!isOutage(error) || performance.now() >= giveUpAt) throw error
    }
    await sleep(pauseBefore(tries, longestOutagePauseMs))
  }
}

/** For a transaction that the server rolls back when another is in its way. */
export async function persistently<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (!isCollision(error) || tries >= collisionTries) throw error
    }
    await sleep(pauseBefore(tries, longestCollisionPauseMs))
  }
}
