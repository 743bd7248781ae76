/** The tool calls of a round: all of them at once, each result durable as soon as it is there. */
import { shortenOutput } from '@holdfast/core'
import type { Json, ToolOutcome } from '@holdfast/protocol'
import { toJson } from '../define/schema.ts'
import type { Tool } from '../define/tool.ts'
import type { WantedCall } from '../model/reply.ts'
import { isStorable } from '../model/storable.ts'
import type { Turn } from '../turn/turn.ts'

export interface CallResult {
  output: Json
  outcome: ToolOutcome
}

export async function runCalls(turn: Turn): Promise<void> {
  await Promise.all(turn.open.map((call) => runCall(turn, call)))
  turn.halting.check()
}

async function runCall(turn: Turn, call: WantedCall): Promise<void> {
  const result = await resultOf(turn, call)
  await turn.run.finishTool({ callId: call.callId, ...result })
  turn.open = turn.open.filter(({ callId }) => callId !== call.callId)
}

async function resultOf(turn: Turn, call: WantedCall): Promise<CallResult> {
  const tool = turn.agent.tools.get(call.name)
  if (!tool) return failed(`There is no tool ${call.name}.`)
  if (call.input === undefined) return failed('The input is not valid JSON, or has numbers beyond 2^53.')
  const input = tool.input.check(call.input)
  if (!input.ok) return failed(`The input does not fit: ${input.why}`)
  return execute(turn, tool, call, input.value)
}

async function execute(turn: Turn, tool: Tool, { callId }: WantedCall, input: unknown): Promise<CallResult> {
  const time = AbortSignal.timeout(tool.timeoutMs)
  const signal = AbortSignal.any([turn.signal, time])
  const { sessionId, runId } = turn.run
  const idempotencyKey = `${sessionId}:${turn.roundId}:${callId}`
  try {
    const work = tool.execute(input, { sessionId, runId, callId, idempotencyKey, signal })
    const output = await unlessAborted(work, signal)
    return { output: storableOutput(toJson(output), tool.maxOutputBytes), outcome: 'ok' }
  } catch (error) {
    turn.halting.check()
    if (time.aborted)
      return {
        output: `No result within ${tool.timeoutMs} ms; it may still take effect.`,
        outcome: 'unknown',
      }
    return failed(error instanceof Error ? error.message : String(error))
  }
}

async function unlessAborted<T>(work: T | PromiseLike<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** A value that the log does not hold as it is becomes its JSON text; a long one its beginning and its end. */
function storableOutput(output: Json, maxBytes: number): Json {
  const value = isStorable(output) ? output : JSON.stringify(output)
  const rule = {
    aboveBytes: maxBytes,
    headBytes: Math.floor(maxBytes * 0.625),
    tailBytes: Math.floor(maxBytes * 0.25),
  }
  return shortenOutput(value, rule)
}

function failed(message: string): CallResult {
  return { output: message.slice(0, 8_192).toWellFormed(), outcome: 'error' }
}
