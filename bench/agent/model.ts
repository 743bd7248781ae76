/** The model of both contenders: it calls a tool in every round until it has made as many as it was told, then it answers. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { LanguageModelV4 } from '@ai-sdk/provider'
import { type ScriptedReply, scriptedModel } from '@holdfast/agent/testing'

const usage = { promptTokens: 1_000, completionTokens: 40 }
const said = 'I look at the next one, and then I shall know more than I do now.'

export interface Talking {
  model: LanguageModelV4
  /** How many rounds the next turn has. */
  rounds: number
  /** Pieces of an answer come one by one, as they do over a network; else all of it is there at once. */
  inPieces: boolean
}

export function talking(): Talking {
  let made = 0
  let inTurn = 0
  const next = (): ScriptedReply => {
    inTurn += 1
    made += 1
    const text = { type: 'text' as const, text: said }
    if (inTurn < talk.rounds) {
      const call = { type: 'tool_call' as const, name: 'look', input: { n: made }, callId: `call-${made}` }
      return { parts: [text, call], usage }
    }
    inTurn = 0
    return { parts: [text], usage }
  }
  const pause = async () => {
    if (talk.inPieces) await nextTurn()
  }
  const talk: Talking = { model: scriptedModel({ script: next, pause }), rounds: 1, inPieces: false }
  return talk
}

export const question = 'Please look at all of them.'
export const found = 'What there is to see of it: the order left the warehouse on Monday.'
