/** What Anthropic's Messages refuses, in its own words. */
import type { Json, JsonObject } from '@holdfast/protocol'
import { signatureOf } from '../../answer.ts'
import { objectOf, objectsIn, repeated, textOf } from '../../json-shapes.ts'
import type { Refusal, Rule } from '../wire.ts'

interface Block {
  /** As errors name it: `messages.0.content.1`. */
  place: string
  block: JsonObject
}

interface Turn {
  /** Number of its last message. */
  at: number
  role: string
  blocks: Block[]
}

export interface AnthropicRequest {
  body: JsonObject
  messages: readonly { at: number; role: string; blocks: Block[] }[]
  /** Neighbours of one role are one turn. */
  turns: readonly Turn[]
  /** Signatures that were given out, with the text that each is for. */
  signed: ReadonlyMap<string, string>
}

export function anthropicRequest(body: JsonObject, signed: ReadonlyMap<string, string>): AnthropicRequest {
  const messages = objectsIn(body.messages).map(({ role, content }, at) => {
    return { at, role: textOf(role), blocks: blocksOf(content, at) }
  })
  return { body, messages, turns: turnsOf(messages), signed }
}

function blocksOf(content: Json | undefined, at: number): Block[] {
  const blocks = typeof content === 'string' ? textBlocks(content) : objectsIn(content)
  return blocks.map((block, i) => ({ place: `messages.${at}.content.${i}`, block }))
}

function textBlocks(text: string): JsonObject[] {
  return text === '' ? [] : [{ type: 'text', text }]
}

function turnsOf(messages: AnthropicRequest['messages']): Turn[] {
  const turns: Turn[] = []
  for (const { at, role, blocks } of messages) {
    const last = turns.at(-1)
    if (last?.role === role) {
      last.at = at
      last.blocks.push(...blocks)
    } else turns.push({ at, role, blocks: [...blocks] })
  }
  return turns
}

/** In the order in which they are judged. */
export const anthropicRules = {
  'max_tokens is given': ({ body }) => refuseIf(body.max_tokens === undefined, 'max_tokens: Field required'),

  'there is a message': ({ messages }) =>
    refuseIf(messages.length === 0, 'messages: at least one message is required'),

  'roles are user and assistant': ({ messages }) => {
    const other = messages.find(({ role }) => role !== 'user' && role !== 'assistant')
    return refuseIf(
      other !== undefined,
      `messages: Unexpected role "${other?.role}". Allowed roles are "user" or "assistant"`,
    )
  },

  'the user speaks first': ({ messages }) =>
    refuseIf(messages[0]?.role !== 'user', 'messages: first message must use the "user" role'),

  'every message has content': ({ messages }) => {
    const empty = messages.find(({ blocks }) => blocks.length === 0)
    return refuseIf(empty !== undefined, `messages.${empty?.at}: all messages must have non-empty content`)
  },

  'text is not blank': ({ messages }) => {
    const blank = find(messages, ({ type, text }) => type === 'text' && textOf(text).trim() === '')
    return refuseIf(
      blank !== undefined,
      `${blank?.place}: text content blocks must contain non-whitespace text`,
    )
  },

  'blocks are of their role': ({ messages }) => {
    const stray = messages
      .flatMap(({ role, blocks }) => blocks.map((block) => ({ role, ...block })))
      .find(
        ({ role, block }) => roleOf[textOf(block.type)] !== undefined && roleOf[textOf(block.type)] !== role,
      )
    const type = textOf(stray?.block.type)
    return refuseIf(
      stray !== undefined,
      `${stray?.place}: \`${type}\` blocks can only be in \`${roleOf[type]}\` messages`,
    )
  },

  'tool_use ids are of letters, digits, _ and -': ({ messages }) => {
    const bad = find(messages, ({ type, id }) => type === 'tool_use' && !/^[a-zA-Z0-9_-]+$/.test(textOf(id)))
    return refuseIf(
      bad !== undefined,
      `${bad?.place}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`,
    )
  },

  'tool_use input is an object': ({ messages }) => {
    const bad = find(messages, ({ type, input }) => type === 'tool_use' && !isObject(input))
    return refuseIf(bad !== undefined, `${bad?.place}.tool_use.input: Input should be a valid dictionary`)
  },

  'tool_use ids are unique': ({ messages }) => {
    const twice = repeated(messages.flatMap(({ blocks }) => callsOf(blocks)))
    return refuseIf(twice !== undefined, `messages: \`tool_use\` ids must be unique: ${twice}`)
  },

  'every tool_result has its tool_use in the message before': ({ turns }) => {
    for (const [i, { blocks }] of turns.entries()) {
      const calls = callsOf(turns[i - 1]?.blocks ?? [])
      const stray = blocks.find(({ block }) => isResult(block) && !calls.includes(textOf(block.tool_use_id)))
      if (stray)
        return refuse(
          `${stray.place}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray.block.tool_use_id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
        )
    }
    return undefined
  },

  'every tool_use has its tool_result right after it': ({ turns }) => {
    for (const [i, { at, blocks }] of turns.entries()) {
      const results = leadingResults(turns[i + 1]?.blocks ?? [])
      const open = callsOf(blocks).filter((id) => !results.includes(id))
      if (open.length > 0)
        return refuse(
          `messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
        )
    }
    return undefined
  },

  'a tool_use has one tool_result': ({ turns }) => {
    for (const { at, blocks } of turns) {
      const twice = repeated(resultsOf(blocks))
      if (twice)
        return refuse(
          `messages.${at}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${twice}`,
        )
    }
    return undefined
  },

  'thinking is signed': ({ messages }) => {
    const bare = find(messages, ({ type, signature }) => type === 'thinking' && textOf(signature) === '')
    return refuseIf(bare !== undefined, `${bare?.place}.thinking.signature: Field required`)
  },

  'a signature is of its thinking': ({ messages, signed }) => {
    const forged = find(messages, (block) => block.type === 'thinking' && !isSigned(block, signed))
    return refuseIf(forged !== undefined, `${forged?.place}: Invalid \`signature\` in \`thinking\` block`)
  },

  'thinking is not the end of a message': ({ turns }) => {
    const ending = turns.find(({ blocks }) => isThinking(blocks.at(-1)?.block))
    return refuseIf(
      ending !== undefined,
      `messages.${ending?.at}: The final block in an assistant message cannot be \`thinking\`.`,
    )
  },

  'with thinking on, the turn of open calls begins with thinking': ({ body, turns }) => {
    const on = objectOf(body.thinking).type === 'enabled'
    const turn = turns.at(-2)
    if (!on || !turn || resultsOf(turns.at(-1)?.blocks ?? []).length === 0) return undefined
    const [first] = turn.blocks
    return refuseIf(
      first !== undefined && !isThinking(first.block),
      `messages.${turn.at}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first?.block.type}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block.`,
    )
  },

  'the user speaks last': ({ turns }) =>
    refuseIf(
      turns.at(-1)?.role !== 'user',
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    ),
} as const satisfies Record<string, Rule<AnthropicRequest>>

const roleOf: Readonly<Record<string, string>> = {
  tool_use: 'assistant',
  thinking: 'assistant',
  redacted_thinking: 'assistant',
  tool_result: 'user',
}

export function refuse(message: string): Refusal {
  return { status: 400, type: 'invalid_request_error', message }
}

function refuseIf(broken: boolean, message: string): Refusal | undefined {
  return broken ? refuse(message) : undefined
}

function find(messages: AnthropicRequest['messages'], is: (block: JsonObject) => boolean): Block | undefined {
  return messages.flatMap(({ blocks }) => blocks).find(({ block }) => is(block))
}

function callsOf(blocks: readonly Block[]): string[] {
  return blocks.flatMap(({ block }) => (block.type === 'tool_use' ? [textOf(block.id)] : []))
}

function resultsOf(blocks: readonly Block[]): string[] {
  return blocks.flatMap(({ block }) => (isResult(block) ? [textOf(block.tool_use_id)] : []))
}

function leadingResults(blocks: readonly Block[]): string[] {
  const end = blocks.findIndex(({ block }) => !isResult(block))
  return resultsOf(end === -1 ? blocks : blocks.slice(0, end))
}

function isResult({ type }: JsonObject): boolean {
  return type === 'tool_result'
}

function isThinking(block: JsonObject | undefined): boolean {
  return block?.type === 'thinking' || block?.type === 'redacted_thinking'
}

function isSigned({ thinking, signature }: JsonObject, signed: ReadonlyMap<string, string>): boolean {
  const text = textOf(thinking)
  return signature === signatureOf(text) || signed.get(textOf(signature)) === text
}

function isObject(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
