import { z } from 'zod'
import { externalId, id } from '../ids.ts'
import { json, jsonObject } from '../json.ts'
import {
  citation,
  messageFinish,
  messagePart,
  messagePhase,
  role,
  seedPhase,
  toolOutcome,
} from '../message.ts'
import { objectOnUse, onUse } from '../on-use.ts'

const seq = onUse(() => z.int().min(1))
const count = onUse(() => z.int().min(0))

/** How the visible path stands after a cut: counted by `decide` from the state at the cut, so that the fold reads nothing. */
const pathCut = () => ({
  /** The last visible seq that stays; 0 when nothing stays. */
  keepThrough: count,
  messageCount: count,
  exchangeCount: count,
  /** The newest user messages without an answer, and the last user message, as they stood at the cut. */
  unanswered: z.array(id),
  lastUser: z.strictObject({ id, seq }).optional(),
})

export const messageEvents = {
  'message.appended': objectOnUse(() => ({
    /** Absent: the message is named by its seq. */
    messageId: id.optional(),
    role,
    parts: z.array(messagePart),
    phase: messagePhase.optional(),
    replyTo: id.optional(),
    author: externalId.optional(),
    neverCompress: z.boolean().optional(),
    finish: messageFinish.optional(),
    seedId: id.optional(),
    phaseReached: seedPhase.optional(),
    evaluationPassed: z.boolean().optional(),
    citations: z.array(citation).optional(),
    /** The first complete answer to `replyTo`: it makes an exchange. */
    firstAnswer: z.literal(true).optional(),
    /** A user message that waits for the live run to take it in. */
    waiting: z.enum(['enqueue', 'steer']).optional(),
    /** The draft whose text this message commits; its chunks go. */
    draftId: id.optional(),
    /** The message that this one replaces after an edit. */
    replaces: id.optional(),
  })),
  /** The path was cut before `messageId`; the message that replaces it follows in the same commit. */
  'message.edited': objectOnUse(() => ({ messageId: id, ...pathCut() })),
  /** The path was cut. `undo` drops from the last user message and can be redone until something is appended. */
  'message.truncated': objectOnUse(() => ({ mode: z.enum(['truncate', 'undo']), ...pathCut() })),
  /** An undo was taken back: the dropped range is visible again. */
  'message.restored': objectOnUse(() => ({
    /** Seq of the undo that is taken back. */
    undoSeq: seq,
    messageCount: count,
    exchangeCount: count,
    unanswered: z.array(id),
    lastUser: z.strictObject({ id, seq }).optional(),
  })),
  /** Waiting messages enter the view here. */
  'input.delivered': objectOnUse(() => ({ messageIds: z.array(id).min(1) })),
  /** Intent: logged with its assistant message, before the tool runs. The input stands in the message's part. */
  'tool.called': objectOnUse(() => ({ callId: externalId, name: externalId, messageId: id.optional() })),
  /** The result, which *is* the tool message. */
  'tool.finished': objectOnUse(() => ({
    messageId: id.optional(),
    callId: externalId,
    name: externalId.optional(),
    output: json,
    outcome: toolOutcome,
    /** Written by recovery in place of a result that never came. */
    synthetic: z.literal(true).optional(),
    neverCompress: z.boolean().optional(),
    provider: jsonObject.optional(),
  })),
} as const
