/** Damage to what a session is stored in, done behind the store's back. */
import { crc32 } from 'node:zlib'
import type { TestPlace } from './each-store.ts'

export interface Damage {
  /** Its head says something else than was written. */
  head(sessionId: string): Promise<void>
  /** Its head is whole, and of a version to come. */
  newerHead(sessionId: string): Promise<void>
  /** Its events that say `text` say something else. */
  events(sessionId: string, text: string): Promise<void>
}

/** Undefined where there is neither file nor server. */
export function damageOf({ behind, dialect }: TestPlace): Damage | undefined {
  if (!behind) return undefined
  const isServer = dialect === 'postgres'
  const row = (id: string) => `${isServer ? 'session' : 'id'} = '${id}'`
  const own = (id: string) =>
    isServer ? row(id) : `session = (SELECT session FROM sessions WHERE ${row(id)})`
  return {
    async head(id) {
      await behind(`UPDATE @sessions SET head = replace(head, '"agentId"', '"agentIf"') WHERE ${row(id)}`)
    },
    async newerHead(id) {
      const [found] = await behind(`SELECT head FROM @sessions WHERE ${row(id)}`)
      const head = JSON.stringify({ ...JSON.parse(String(found?.head)), v: 99 })
      await behind(`UPDATE @sessions SET head = '${head}', head_crc = ${crc32(head)} WHERE ${row(id)}`)
    },
    async events(id, text) {
      const other = text.replace(/.$/, '~')
      await behind(`UPDATE @events SET body = replace(body, '${text}', '${other}') WHERE ${own(id)}`)
    },
  }
}
