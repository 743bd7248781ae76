/** The agents of the proof: one with everything in its turn, over a provider's own package, and its helper. */
import { appendFileSync } from 'node:fs'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import type { LanguageModelV4 } from '@ai-sdk/provider'
import {
  type Agent,
  askQuestion,
  compactContext,
  defineAgent,
  defineTool,
  spawnChild,
  type ToolContext,
} from '@holdfast/agent'
import { z } from 'zod'
import { forgetful } from './forgetful.ts'
import { helperModel, mainModel } from './script.ts'
import type { PlayerTask, WireName } from './task.ts'

const wires: Record<WireName, (baseURL: string, model: string) => LanguageModelV4> = {
  anthropic: (baseURL, model) => createAnthropic({ baseURL, apiKey: 'k' })(model),
  chat: (baseURL, model) => createOpenAI({ baseURL, apiKey: 'k' }).chat(model),
  responses: (baseURL, model) => createOpenAI({ baseURL, apiKey: 'k' }).responses(model),
}

type Task = Pick<PlayerTask, 'effects' | 'baseUrl' | 'wire' | 'planted'>

export function agentsOf({ effects, baseUrl, wire, planted }: Task): Agent[] {
  const model = (name: string): LanguageModelV4 => {
    const over = wires[wire](baseUrl, name)
    return planted === 'dropped' ? forgetful(over) : over
  }
  const [charge, look, send] = toolsWith(effects, planted === 'rerun')
  return [
    defineAgent({
      id: 'main',
      instructions: 'Do what is asked.',
      model: model(mainModel),
      tools: [charge, look, send, askQuestion, spawnChild({ agents: { helper: 'helps' } }), compactContext],
      maxAttempts: 1,
      onLimit: 'end',
    }),
    defineAgent({ id: 'helper', model: model(helperModel), tools: [charge], maxAttempts: 1, onLimit: 'end' }),
  ]
}

/** An effect is a line of a file, written before anybody hears of it: `<tool> <idempotency key>`. */
function toolsWith(effects: string, rerun: boolean) {
  const effectOf =
    (name: string) =>
    (_input: unknown, { idempotencyKey }: ToolContext) => {
      appendFileSync(effects, `${name} ${idempotencyKey}\n`)
      return { did: name }
    }
  const input = z.object({ what: z.string() })
  const tool = { description: 'Does it', input }
  return [
    defineTool({ ...tool, name: 'charge', idempotent: rerun, execute: effectOf('charge') }),
    defineTool({ ...tool, name: 'look', idempotent: true, execute: effectOf('look') }),
    defineTool({ ...tool, name: 'send', approval: 'always', execute: effectOf('send') }),
  ] as const
}
