/** What a tool is: how a model is told of it, what it does, and what may be done about it when things go wrong. */
import { HoldfastError, limits } from '@holdfast/protocol'
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
  /** Default 5 minutes. */
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
}

const namePattern = /^[A-Za-z0-9_-]{1,64}$/
const mostOutputBytes = limits.eventBytes / 4

/** Throws `invalid_input` for a name that providers refuse. */
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
    timeoutMs: tool.timeoutMs ?? 300_000,
    maxOutputBytes: Math.min(tool.maxOutputBytes ?? mostOutputBytes, mostOutputBytes),
  }
}
