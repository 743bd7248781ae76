/** What the AI SDK tells of its loop beside its model calls: results of tools, and how the loop ended. */
import type { Telemetry } from 'ai'
import { messageOf } from '../message-of.ts'
import { storable } from './content.ts'
import type { RecordedResult } from './recorded-run.ts'

interface LoopRecorder {
  result(result: RecordedResult): Promise<void>
  end(): Promise<void>
  fail(error: unknown): Promise<void>
  cancel(reason: string): Promise<void>
}

export function recorderTelemetry(recorder: LoopRecorder): Telemetry {
  return {
    async onToolExecutionEnd({ toolCall: { toolCallId: callId }, toolOutput }) {
      if (toolOutput.type === 'tool-result')
        await recorder.result({ callId, output: storable(toolOutput.output), outcome: 'ok' })
      else await recorder.result({ callId, output: errorText(toolOutput.error), outcome: 'error' })
    },
    onEnd: () => recorder.end(),
    onAbort: () => recorder.cancel('aborted'),
    onError: (event) => recorder.fail(errorIn(event)),
  }
}

function errorText(error: unknown): string {
  return messageOf(error).toWellFormed()
}

/** The error itself, or an event that holds it. */
function errorIn(event: unknown): unknown {
  return typeof event === 'object' && event !== null && 'error' in event ? event.error : event
}
