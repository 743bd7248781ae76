/** What the stub needs to know of a provider's wire format. */
import type { Json, JsonObject } from '@holdfast/protocol'
import type { Answer } from '../answer.ts'
import type { RefusingFault } from '../faults.ts'
import type { Asked } from '../script.ts'

export interface SseEvent {
  event?: string
  data: Json | '[DONE]'
}

/** A request that is not answered. */
export interface Refusal {
  status: number
  /** The provider's word for the kind of error. */
  type: string
  message: string
  code?: string
  param?: string
}

/** A rule of the provider: what it says to a request that breaks it. */
export type Rule<T> = (request: T) => Refusal | undefined

export interface Wire {
  name: 'anthropic' | 'openai-chat' | 'openai-responses'
  path: string
  /** The key that came with the request. */
  keyOf(headers: Readonly<Record<string, unknown>>): string | undefined
  /** The first rule that the request breaks. */
  refusal(body: JsonObject): Refusal | undefined
  asked(body: JsonObject): Omit<Asked, 'index'>
  /** Everything that the model would read, as JSON text. */
  conversation(body: JsonObject): string
  whole(answer: Answer, body: JsonObject): JsonObject
  /** `pieceSize` is in code points. */
  stream(answer: Answer, body: JsonObject, pieceSize: number): SseEvent[]
  refusalFor(fault: Pick<RefusingFault, 'type'>, promptTokens: number): Refusal
  /** An error as the body of an answer. */
  errorBody(refusal: Refusal): JsonObject
  /** The same inside a stream. */
  errorEvent(refusal: Refusal): SseEvent
  /** The answer was given whole: what the provider keeps of it is kept. */
  keep(answer: Answer, body: JsonObject): void
  /** Loses what the provider kept. */
  forget(): void
}

export function firstRefusal<T>(rules: Readonly<Record<string, Rule<T>>>, request: T): Refusal | undefined {
  for (const rule of Object.values(rules)) {
    const refusal = rule(request)
    if (refusal) return refusal
  }
  return undefined
}
