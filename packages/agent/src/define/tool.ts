/** What a tool is: how a model is told of it, what it does, and what may be done about it when things go wrong. */
import type { Holdfast, UnseenSession } from '@holdfast/core'
import { HoldfastError, limits, parseInput } from '@holdfast/protocol'
import { timerMs } from './numbers.ts'
import { type Schema, type SchemaSource, schemaOf } from './schema.ts'

/** What a tool is given beside its input. */
export interface ToolContext {
  readonly sessionId: string
  readonly runId: string
  readonly callId: string
  /** The same when the call is run again after a crash: hand it to whatever has the effect. */
  readonly idempotencyKey: string
  /** Aborted when the turn stops, its lease is lost, or the tool's time is up. */
  readonly signal: AbortSignal
  /** The session that the call belongs to. */
  readonly session: UnseenSession
  /** Its tenant. */
  readonly holdfast: Holdfast
  /** Has the context made smaller before the next model call. */
  compact(instructions?: string): void
}

/** What a call does: the tool's own work; a question to a person; a session of its own. */
export type Does = { kind: 'work' } | { kind: 'ask' } | { kind: 'spawn'; rules: ChildRules }

/** What children may be, and how their parent waits for those of one round. */
export interface ChildRules {
  /** Agents that may be spawned, each with what it is for. */
  agents: Readonly<Record<string, string>>
  /** `all` (default): until each has ended; `any`: until one succeeded; `first_error`: until one failed. The others are stopped. */
  waitFor?: 'all' | 'any' | 'first_error'
  /** How long one may take. Default: as long as its parent waits. */
  timeoutMs?: number
  /** Generations below a root. Default 2. */
  maxDepth?: number
}

/** Whether a person must allow a call before it runs. */
export type Approval<T> = 'never' | 'always' | ((input: T) => boolean | Promise<boolean>)

export interface ToolInput<T> {
  name: string
  description: string
  input: SchemaSource<T>
  /** The output, as JSON. What it throws is told to the model as the call's error. */
  execute(input: T, context: ToolContext): unknown
  /** Default never. */
  approval?: Approval<T>
  /** May be run again with the same `idempotencyKey` when nobody knows whether it took effect. Default false. */
  idempotent?: boolean
  /** Default 5 minutes, at most 25 days. */
  timeoutMs?: number
  /** UTF-8 bytes of output that are kept; more is kept as its beginning and its end. Default and most 1 MiB. */
  maxOutputBytes?: number
}

export interface Tool {
  readonly name: string
  readonly description: string
  readonly input: Schema
  readonly execute: (input: unknown, context: ToolContext) => unknown
  readonly approval: Approval<unknown>
  readonly idempotent: boolean
  readonly timeoutMs: number
  readonly maxOutputBytes: number
  readonly does: Does
}

const namePattern = /^[A-Za-z0-9_-]{1,64}$/
const mostOutputBytes = limits.eventBytes / 4
/** Beginning, end and the marker between them fit. */
const leastOutputBytes = 1_024

/** Throws `invalid_input` for a name that providers refuse, and for a time that no timer waits. */
export function defineTool<T>(tool: ToolInput<T>): Tool {
  if (!namePattern.test(tool.name)) {
    throw new HoldfastError(
      'invalid_input',
      `tool ${tool.name}: a name has 1 to 64 letters, digits, _ and -.`,
    )
  }
  return {
    name: tool.name,
    description: tool.description,
    input: schemaOf(tool.input),
    execute: tool.execute as Tool['execute'],
    approval: (tool.approval ?? 'never') as Tool['approval'],
    idempotent: tool.idempotent ?? false,
    timeoutMs: parseInput(timerMs, tool.timeoutMs ?? 300_000, `tool ${tool.name}.timeoutMs`),
    maxOutputBytes: Math.max(
      leastOutputBytes,
      Math.min(tool.maxOutputBytes ?? mostOutputBytes, mostOutputBytes),
    ),
    does: { kind: 'work' },
  }
}
