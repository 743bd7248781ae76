/**
 * The few members of `pg` that this store calls, accepted by their shape, so that nothing is imported that was not
 * asked for. Statements go through `Flush`, which speaks the wire protocol by the connection that `pg` hands it.
 */

export type { Row } from '../row.ts'

export type SqlValue = string | number | boolean | null | undefined | Uint8Array

/** What of the module `pg` is used: `import pg from 'pg'`. */
export interface PgModule {
  Pool: new (config: PgPoolConfig) => PgPool
}

export interface PgPoolConfig {
  connectionString: string
  max: number
  application_name?: string
  connectionTimeoutMillis?: number
  idleTimeoutMillis?: number
  keepAlive?: boolean
  query_timeout?: number
}

export interface PgPool {
  /** How many wait for a connection. */
  readonly waitingCount: number
  readonly idleCount: number
  connect(): Promise<PgClient>
  // biome-ignore lint/suspicious/noExplicitAny: what the listener gets depends on the event
  on(event: 'error' | 'connect', listener: (what: any) => void): unknown
  end(): Promise<void>
}

export interface PgClient {
  /** Of the server's process that answers, as it was told at login. */
  processID?: number | null
  query(text: string): Promise<unknown>
  // biome-ignore lint/suspicious/noExplicitAny: `pg` types the object that is submitted by the members it calls
  query(submittable: any): unknown
  // biome-ignore lint/suspicious/noExplicitAny: what the listener gets depends on the event
  on(event: 'error' | 'notification' | 'notice', listener: (what: any) => void): unknown
  /** With true the connection is closed instead of kept. */
  release(destroy?: boolean): void
}

/** What `pg` hands to an object that is submitted. */
export interface PgWire {
  parse(message: { name: string; text: string; types: readonly number[] }): void
  stream: {
    writable: boolean
    write(message: Uint8Array): unknown
    cork?(): void
    uncork?(): void
  }
}
