/** The agent in a server that is asked at random: of what it is told, it asks back every other time. */
import { type Agent, askQuestion, defineAgent } from '@holdfast/agent'
import { type Asked, type ScriptEntry, scriptedModel } from '@holdfast/agent/testing'

export const askedAgentId = 'asker'

export function askedAgent(): Agent {
  return defineAgent({ id: askedAgentId, model: scriptedModel({ script }), tools: [askQuestion] })
}

function script({ lastUserText, results }: Asked): ScriptEntry {
  if (results.length > 0 || lastUserText.length % 2 === 0) return `You said ${lastUserText}.`
  return { parts: [{ type: 'tool_call', name: 'ask_question', input: { question: 'Which?' } }] }
}
