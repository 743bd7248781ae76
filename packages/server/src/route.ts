/** A route: everything that is said of an operation, in one place. The document, the guard and the tests are made from it. */
import type { Holdfast, UnseenSession, WriteOptions } from '@holdfast/core'
import type { ErrorCode, Scope } from '@holdfast/protocol'
import type { z } from 'zod'
import type { Credential } from './access/credential.ts'
import type { Reach } from './access/guard.ts'
import type { Answer } from './answer.ts'
import type { Given, Params } from './http/query.ts'
import type { Service } from './service.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** One request, after everything was checked that its route names. */
export interface Call<Query = unknown, Body = unknown> {
  readonly request: Request
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  readonly credential: Credential
  /** The caller's tenant; writes are the caller's. */
  readonly holdfast: Holdfast
  /** The session in the path. */
  readonly session: UnseenSession
  /** From `Idempotency-Key` and `If-Match`. */
  readonly write: WriteOptions
  /** An earlier try under the same idempotency key may have had its effect, and its answer is not known. */
  readonly mayBeDone: boolean
  /** To be told what an answer that had begun broke off for: the log hears of it. */
  broken(error: unknown): void
  readonly requestId: string
  readonly service: Service
}

export interface Route {
  readonly method: Method
  /** With `{name}` for each id. */
  readonly path: string
  readonly summary: string
  readonly scope: Scope
  readonly reach: Reach
  readonly query: Params
  /**
   * `by: 'log'`: the log checks the same schema, so it is not checked twice. `file`: the body is taken as it is. `lines`: it is
   * read line by line, however long it is.
   */
  readonly body?:
    | { readonly schema: z.ZodType; readonly by?: 'log'; readonly optional?: true }
    | 'file'
    | 'lines'
  readonly status: number
  readonly answer: z.ZodType | 'file' | 'lines' | 'text' | 'html' | 'nothing'
  /** It writes events, or makes a session: what the quotas of a day are about. */
  readonly writes?: 'events' | 'session'
  /**
   * Who sees to `Idempotency-Key`: the log of the session; the server, which keeps the `answer`; the handler `itself`; nobody,
   * because a second time is `harmless`. Of no matter to a `GET`.
   */
  readonly once: 'log' | 'answer' | 'itself' | 'harmless'
  /** It may also be answered as `text/event-stream`. */
  readonly streams?: true
  /** Codes beside those that any request may meet. */
  readonly codes: readonly ErrorCode[]
  handle(call: Call): Promise<Answer> | Answer
}

type BodyOf<B> = B extends { schema: infer S extends z.ZodType; optional: true }
  ? z.output<S> | undefined
  : B extends { schema: infer S extends z.ZodType; by: 'log' }
    ? z.input<S>
    : B extends { schema: infer S extends z.ZodType }
      ? z.output<S>
      : B extends 'file'
        ? Uint8Array
        : B extends 'lines'
          ? AsyncIterable<string>
          : undefined

interface Said<P extends Params, B extends Route['body']>
  extends Omit<Route, 'query' | 'body' | 'handle' | 'status' | 'codes' | 'once'> {
  readonly query?: P
  readonly body?: B
  readonly status?: number
  readonly once?: Route['once']
  readonly codes?: readonly ErrorCode[]
  handle(call: Call<Given<P>, BodyOf<B>>): Promise<Answer> | Answer
}

export function route<
  const P extends Params = Record<never, never>,
  const B extends Exclude<Route['body'], undefined> | undefined = undefined,
>(said: Said<P, B>): Route {
  const writes = writesEvents(said) ? { writes: 'events' } : {}
  return { query: {}, status: 200, codes: [], once: 'log', ...writes, ...said } as unknown as Route
}

/** Administration and deletion are not refused to who wrote too much. */
function writesEvents({
  method,
  scope,
  reach,
  once,
}: Pick<Route, 'method' | 'scope' | 'reach'> & { once?: Route['once'] }): boolean {
  const isChange = method !== 'GET' && method !== 'DELETE'
  return isChange && reach === 'session' && scope !== 'admin' && once !== 'harmless'
}
