/** What goes wrong at providers, on demand. */
import { utf8Bytes } from '@holdfast/protocol'
import type { AnswerPart } from './answer-part.ts'

export type Fault =
  /** 429, with `retry-after` in seconds when it is given. */
  | { type: 'rate_limit'; retryAfterSecs?: number }
  | { type: 'server_error' }
  /** 529 of Anthropic, 503 of OpenAI. */
  | { type: 'overloaded' }
  /** The history is longer than the model takes. */
  | { type: 'context_length' }
  /** The connection breaks after so many bytes of the body. */
  | { type: 'cut'; afterBytes: number }
  /** Nothing comes after so many bytes of the body, and the connection stays. */
  | { type: 'hang'; afterBytes: number }
  /** An error in the middle of a stream; a whole answer is the error alone. */
  | { type: 'stream_error' }
  /** Arguments of tool calls end before their JSON does. */
  | { type: 'invalid_arguments' }
  /** The text goes on until the output limit, to so many bytes. */
  | { type: 'overlong'; bytes: number }

/** HTTP status of those that refuse the request. */
export const faultStatus = {
  rate_limit: 429,
  server_error: 500,
  overloaded: 529,
  context_length: 400,
} as const satisfies Partial<Record<Fault['type'], number>>

export type RefusingFault = Extract<Fault, { type: keyof typeof faultStatus }>

export function isRefusing(fault: Fault): fault is RefusingFault {
  return fault.type in faultStatus
}

/** The parts of a reply as the fault leaves them. */
export function distorted(parts: readonly AnswerPart[], fault: Fault | undefined): AnswerPart[] {
  switch (fault?.type) {
    case 'invalid_arguments':
      return parts.map((part) => (part.type === 'tool_call' ? cutShort(part) : part))
    case 'overlong':
      return [{ type: 'text', text: filler(fault.bytes) }]
    default:
      return [...parts]
  }
}

function cutShort(call: Extract<AnswerPart, { type: 'tool_call' }>): AnswerPart {
  return { ...call, arguments: call.arguments.slice(0, -1) }
}

const phrase = 'scripted output without an end; '

function filler(bytes: number): string {
  return phrase.repeat(Math.ceil(bytes / utf8Bytes(phrase))).slice(0, bytes)
}
