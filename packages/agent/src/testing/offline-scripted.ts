/**
 * The model of a first run without a key. It is a script, says so in every answer and in its name, and never pretends to
 * be more; but the tools that it calls are real: the clock when it is asked for the time, after an approval when it is told
 * to ask first; a question when it is told to ask one.
 */
import type { LanguageModelV4 } from '@ai-sdk/provider'
import type { Asked, ScriptEntry } from './script.ts'
import { type ScriptedModelOptions, scriptedModel } from './scripted-model.ts'

export const offlineModelId = 'offline-scripted'

const label = `[${offlineModelId}]`

export function offlineScripted(
  options: Pick<ScriptedModelOptions, 'clock' | 'pause' | 'pieceSize'> = {},
): LanguageModelV4 {
  return scriptedModel({ ...options, provider: 'holdfast', modelId: offlineModelId, script: offlineReply })
}

function offlineReply({ lastUserText, results, toolNames }: Asked): ScriptEntry {
  const answered = results.map(({ output }) => output).join(', ')
  if (results.length > 0) return `${label} The tool says: ${answered}`
  const clock = toolNames.find((name) => /clock|time/i.test(name))
  if (clock !== undefined && /\btime\b|\bclock\b|\bo'clock\b/i.test(lastUserText))
    return calling('I look at the clock.', clock, askFirst.test(lastUserText) ? { askFirst: true } : {})
  const question = /\bask me\b:?\s*(.*)/is.exec(lastUserText)
  if (question && toolNames.includes('ask_question'))
    return calling('I ask.', 'ask_question', { question: question[1] || 'What shall I do?' })
  return [
    `${label} No model is set up, so a script answers and not a model.`,
    'Give a key (OPENAI_API_KEY, ANTHROPIC_API_KEY) or start a server that speaks OpenAI on this machine.',
    'Until then I can call real tools: ask me for the time, or write "ask me" and a question.',
    'Write "What time is it? Ask me first." and I need your approval.',
    `You wrote: ${lastUserText}`,
  ].join(' ')
}

/** Such a clock has an input that says whether a person is to be asked before it is looked at. */
const askFirst = /\bask( me)? (first|before)\b/i

function calling(text: string, name: string, input: { question?: string; askFirst?: boolean }): ScriptEntry {
  return {
    parts: [
      { type: 'text', text: `${label} ${text}` },
      { type: 'tool_call', name, input },
    ],
  }
}
