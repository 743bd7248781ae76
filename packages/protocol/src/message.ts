import { z } from 'zod'
import { externalId, id, messageId } from './ids.ts'
import { json, jsonObject } from './json.ts'
import { objectOnUse, onUse } from './on-use.ts'
import { time } from './time.ts'

export const role = onUse(() => z.enum(['system', 'user', 'assistant', 'tool']))
export type Role = z.infer<typeof role>

/** What the provider sent beside the text, kept byte-exact and sent back as it came. */
const providerData = onUse(() => jsonObject.optional())

export const textPart = objectOnUse(() => ({
  type: z.literal('text'),
  text: z.string(),
  provider: providerData,
}))

export const reasoningPart = objectOnUse(() => ({
  type: z.literal('reasoning'),
  text: z.string(),
  /** The provider's signature over the text, byte-exact. */
  signature: z.string().optional(),
  /** Encrypted reasoning that only the provider can read. */
  encrypted: z.string().optional(),
  provider: providerData,
}))

export const toolCallPart = objectOnUse(() => ({
  type: z.literal('tool_call'),
  callId: externalId,
  name: externalId,
  input: json,
  provider: providerData,
}))

/** How a tool call ended. `unknown` means that it may or may not have taken effect. */
export const toolOutcome = onUse(() => z.enum(['ok', 'error', 'denied', 'unknown']))
export type ToolOutcome = z.infer<typeof toolOutcome>

export const toolResultPart = objectOnUse(() => ({
  type: z.literal('tool_result'),
  callId: externalId,
  output: json,
  outcome: toolOutcome.default('ok'),
  provider: providerData,
}))

const bodyHash = onUse(() => z.string().regex(/^[0-9a-f]{64}$/))
const fileFields = () => ({
  hash: bodyHash,
  mediaType: z.string().min(1).max(256),
  bytes: z.int().min(0),
  name: z.string().max(512).optional(),
  provider: providerData,
})
/** A file by reference: `hash` is the SHA-256 of an attachment of this session; `bytes` its size. */
export const filePart = objectOnUse(() => ({ type: z.literal('file'), ...fileFields() }))
export const imagePart = objectOnUse(() => ({ type: z.literal('image'), ...fileFields() }))

/** Structured data that is neither text nor a file; `name` says what it is. */
export const dataPart = objectOnUse(() => ({ type: z.literal('data'), name: externalId, data: json }))

export const messagePart = onUse(() =>
  z.discriminatedUnion('type', [
    textPart,
    reasoningPart,
    toolCallPart,
    toolResultPart,
    filePart,
    imagePart,
    dataPart,
  ]),
)
export type MessagePart = z.infer<typeof messagePart>
export type ToolCallPart = z.infer<typeof toolCallPart>
export type ToolResultPart = z.infer<typeof toolResultPart>

/** `commentary` exactly when the message carries tool calls. */
export const messagePhase = onUse(() => z.enum(['commentary', 'final_answer']))
export type MessagePhase = z.infer<typeof messagePhase>

/** Only `complete` counts as an answer. */
export const messageFinish = onUse(() => z.enum(['complete', 'interrupted', 'length', 'filtered', 'error']))
export type MessageFinish = z.infer<typeof messageFinish>

/** Which step of a seed (a goal specification) an agent response reached. */
export const seedPhase = onUse(() => z.enum(['interview', 'seed', 'execute', 'evaluate', 'evolve']))
export type SeedPhase = z.infer<typeof seedPhase>

export const citation = objectOnUse(() => ({
  source: z.string().max(2_048),
  title: z.string().max(1_024).optional(),
  quote: z.string().max(8_192).optional(),
}))

/** How input that arrives during a run is taken in; `enqueue` waits for its end, `steer` for the next round. */
export const inputPolicy = onUse(() => z.enum(['reject', 'enqueue', 'steer', 'interrupt']))
export type InputPolicy = z.infer<typeof inputPolicy>

/** What a caller gives to append a message. Counters, phase and seq are never set by a caller. */
export const messageInput = objectOnUse(() => ({
  id: messageId.optional(),
  role,
  parts: z.array(messagePart).min(1),
  replyTo: id.optional(),
  author: externalId.optional(),
  neverCompress: z.boolean().optional(),
  finish: messageFinish.optional(),
  seedId: id.optional(),
  phaseReached: seedPhase.optional(),
  evaluationPassed: z.boolean().optional(),
  citations: z.array(citation).max(256).optional(),
}))
export type MessageInput = z.infer<typeof messageInput>

/** A message as it is read: the fold of its events. */
export const message = objectOnUse(() => ({
  id,
  seq: z.int().min(1),
  role,
  parts: z.array(messagePart),
  at: time,
  phase: messagePhase.optional(),
  replyTo: id.optional(),
  author: externalId.optional(),
  neverCompress: z.boolean().optional(),
  finish: messageFinish.optional(),
  seedId: id.optional(),
  phaseReached: seedPhase.optional(),
  evaluationPassed: z.boolean().optional(),
  citations: z.array(citation).optional(),
  runId: id.optional(),
  roundId: id.optional(),
  /** Waits for a live run to take it in; the value is its policy. */
  waiting: z.enum(['enqueue', 'steer']).optional(),
  /** Erased on request: the content is gone, the place stays. */
  erased: z.literal(true).optional(),
}))
export type Message = z.infer<typeof message>
