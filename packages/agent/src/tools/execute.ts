/** Runs one tool: within its time, until the turn stops, its output as the log holds it. */
import { shortenOutput } from '@holdfast/core'
import type { Json } from '@holdfast/protocol'
import { toJson } from '../define/schema.ts'
import type { Tool, ToolContext } from '../define/tool.ts'
import { messageOf } from '../message-of.ts'
import { isStorable } from '../model/storable.ts'
import type { Turn } from '../turn/turn.ts'
import { type CallResult, failed } from './plan-call.ts'
import { unlessAborted } from './unless-aborted.ts'

/** Throws `Halted` when the turn stops meanwhile: nobody knows then what came of it. */
export async function execute(turn: Turn, tool: Tool, callId: string, input: unknown): Promise<CallResult> {
  const time = AbortSignal.timeout(tool.timeoutMs)
  const signal = AbortSignal.any([turn.signal, time])
  const work = started(tool, input, contextOf(turn, callId, signal))
  try {
    return succeeded(tool, await unlessAborted(work, signal))
  } catch (error) {
    if (signal.aborted) keepLate(turn, tool, callId, work)
    turn.halting.check()
    if (time.aborted)
      return {
        output: `No result within ${tool.timeoutMs} ms; it may still take effect.`,
        outcome: 'unknown',
      }
    return failed(messageOf(error))
  }
}

function contextOf(turn: Turn, callId: string, signal: AbortSignal): ToolContext {
  const { sessionId, runId } = turn.run
  return {
    sessionId,
    runId,
    callId,
    idempotencyKey: `${sessionId}:${turn.roundId}:${callId}`,
    signal,
    session: turn.session,
    holdfast: turn.world.holdfast,
    compact: (instructions) => turn.askToCompact(instructions),
  }
}

/** A tool that throws before its first await is a tool that failed. */
async function started(tool: Tool, input: unknown, context: ToolContext): Promise<unknown> {
  return tool.execute(input, context)
}

/** What comes after its call was closed is kept as a note: nothing that happened is lost, and nothing is answered twice. */
function keepLate(turn: Turn, tool: Tool, callId: string, work: Promise<unknown>): void {
  const late = work
    .then((output) => succeeded(tool, output))
    .catch((error: unknown) => failed(messageOf(error)))
    .then((result) => ({ callId, ...result }))
  // Whoever notes it hears of its failure; nobody does before the run has ended.
  late.catch(() => undefined)
  turn.late.push(late)
}

function succeeded(tool: Tool, output: unknown): CallResult {
  return { output: storable(toJson(output), tool.maxOutputBytes), outcome: 'ok' }
}

/** A value that the log does not hold as it is becomes its JSON text; a long one its beginning and its end. */
function storable(output: Json, maxBytes: number): Json {
  const value = isStorable(output) ? output : JSON.stringify(output)
  const rule = {
    aboveBytes: maxBytes,
    headBytes: Math.floor(maxBytes * 0.625),
    tailBytes: Math.floor(maxBytes * 0.25),
  }
  return shortenOutput(value, rule)
}
