/** What a script is told of a call to a model of the AI SDK. */
import type { LanguageModelV4, LanguageModelV4ToolResultPart } from '@ai-sdk/provider'
import type { Asked } from './script.ts'

type CallOptions = Parameters<LanguageModelV4['doStream']>[0]

/** Looked for when the script asks: a prompt may be long. */
export function askedOf({ prompt, tools = [] }: CallOptions, known: Pick<Asked, 'index' | 'model'>): Asked {
  return {
    ...known,
    get lastUserText() {
      const lastUser = prompt.findLast((message) => message.role === 'user')
      const texts = lastUser?.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])) ?? []
      return texts.join('')
    },
    get results() {
      const said = prompt.findLastIndex(({ role }) => role === 'assistant')
      const results = prompt
        .slice(said + 1)
        .flatMap((message) => (message.role === 'tool' ? message.content : []))
      return results.flatMap((part) => (part.type === 'tool-result' ? [resultOf(part)] : []))
    },
    get toolNames() {
      return tools.map(({ name }) => name)
    },
  }
}

function resultOf({ toolCallId, output }: LanguageModelV4ToolResultPart): Asked['results'][number] {
  return { callId: toolCallId, output: outputText(output) }
}

function outputText(output: LanguageModelV4ToolResultPart['output']): string {
  switch (output.type) {
    case 'text':
    case 'error-text':
      return output.value
    case 'execution-denied':
      return output.reason ?? 'denied'
    default:
      return JSON.stringify(output.value)
  }
}
