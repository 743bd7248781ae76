/** What is said and done in a conversation, in order: as a model is sent it of a session, and as a program sends it. */
import { createHash } from 'node:crypto'
import type { ProviderMessage } from '@holdfast/core'
import type { Json, JsonObject, MessagePart } from '@holdfast/protocol'

/** One step as text: who speaks, a call with its input, a result, a file's bytes. */
type Step = string

/** `isThoughtSent`: of the thoughts only those that the program may send too. */
export async function stepsOf(
  messages: readonly ProviderMessage[],
  bytesOf: (hash: string) => Promise<Uint8Array | undefined>,
  isThoughtSent: (part: MessagePart) => boolean,
): Promise<Step[]> {
  const steps: Step[] = []
  for (const { role, parts } of messages) {
    for (const part of parts) {
      if (part.type === 'text') steps.push(...spoken(role === 'system' ? 'user' : role, part.text))
      else if (part.type === 'tool_call') steps.push(called(part.name, part.input))
      else if (part.type === 'tool_result') steps.push(`result: ${wordsOf(part.output)}`)
      else if (part.type === 'image')
        steps.push(`image: ${Buffer.from((await bytesOf(part.hash)) ?? []).toString('base64')}`)
      else if (part.type === 'data' && part.name.startsWith('responses.'))
        steps.push(part.name.slice('responses.'.length))
      else if (part.type === 'reasoning' && isThoughtSent(part)) steps.push(`thought: ${part.text}`)
    }
  }
  return steps
}

/** Of a request to Anthropic's Messages or to OpenAI's Responses, where Codex puts its instructions first. */
export function stepsIn({ messages, input }: JsonObject): Step[] {
  if (Array.isArray(messages)) return messages.flatMap((message) => messageSteps(message as JsonObject))
  return (input as JsonObject[]).slice(1).flatMap(itemSteps)
}

function messageSteps({ role, content }: JsonObject): Step[] {
  if (role === 'system') return []
  if (typeof content === 'string') return spoken(role, content)
  return (content as JsonObject[]).flatMap((block): Step[] => {
    switch (block.type) {
      case 'text':
        return spoken(role, String(block.text))
      case 'tool_use':
        return [called(block.name, block.input ?? null)]
      case 'tool_result':
        return [`result: ${wordsOf(block.content ?? '')}`]
      case 'image':
        return [`image: ${String((block.source as JsonObject).data)}`]
      case 'thinking':
        return [`thought: ${String(block.thinking)}`]
      default:
        return [`${block.type}`]
    }
  })
}

function itemSteps(item: JsonObject): Step[] {
  switch (item.type) {
    case 'message':
      return (item.content as JsonObject[]).flatMap((part) => {
        const role = item.role === 'developer' ? 'user' : item.role
        if (typeof part.text === 'string') return spoken(role, part.text)
        return [`image: ${String(part.image_url).replace(/^.*,/, '')}`]
      })
    case 'function_call':
      return [called(item.name, inputOf(String(item.arguments)))]
    case 'custom_tool_call':
      return [called(item.name, item.input ?? null)]
    case 'function_call_output':
    case 'custom_tool_call_output':
      return [`result: ${wordsOf(item.output ?? '')}`]
    case 'reasoning':
      return [`thought: ${(item.summary as JsonObject[]).map(({ text }) => String(text)).join('\n\n')}`]
    default:
      return [`${item.type}`]
  }
}

function inputOf(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

/** Programs put a line break between texts that they join; before a summary Holdfast says that it is one. */
function spoken(role: Json | undefined, text: string): Step[] {
  const words = text.replace(/^Summary of the conversation so far:/, '').trim()
  return words === '' ? [] : [`${role}: ${words}`]
}

/** Claude Code sends the older name of its tool as the newer one. */
function called(name: Json | undefined, input: Json): Step {
  return `call: ${name === 'Task' ? 'Agent' : name} ${JSON.stringify(input)}`
}

function wordsOf(output: Json): string {
  if (typeof output === 'string') return output.trim()
  const isBlocks =
    Array.isArray(output) && output.every((block) => typeof (block as JsonObject).text === 'string')
  return isBlocks
    ? output
        .map((block) => (block as JsonObject).text)
        .join('\n')
        .trim()
    : JSON.stringify(output)
}

/** Results that follow each other in one order, and a long step as its beginning and its hash: a difference can be read. */
export function shown(steps: readonly Step[]): Step[] {
  const sorted: Step[] = []
  for (const step of steps) {
    const before = step.startsWith('result: ')
      ? sorted.findLastIndex((one) => !one.startsWith('result: ') || one < step)
      : sorted.length - 1
    sorted.splice(before + 1, 0, step)
  }
  return sorted.map((step) => {
    const hash = createHash('sha256').update(step).digest('hex').slice(0, 8)
    return step.length < 120 ? step : `${step.slice(0, 120)}… ${hash}`
  })
}

/** The steps that a program says of its own account are left out; everything else must be there, in this order. */
export function withoutRemarks(steps: readonly Step[]): Step[] {
  return steps.filter((step) => !remarks.some((remark) => remark.test(step)))
}

const remarks = [
  /^user: You are a coding agent running in the Codex CLI/,
  /^user: <task-notification>[\s\S]*before the previous session ended/,
  /^user: <(skills|permissions) instructions>/,
  /^user: <skills_instructions>/,
  /^user: <system-reminder>/,
  /^assistant: No response requested\.$/,
  /^user: <environment_context>/,
]
