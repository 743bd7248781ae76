/** One turn with everything in it, as two processes play it: the one that is killed, and the one that goes on. */
import { appendFileSync } from 'node:fs'
import type { LanguageModelV4Prompt } from '@ai-sdk/provider'
import { z } from 'zod'
import { type Agent, defineAgent, defineTool } from '../../src/index.ts'
import { promptFaults } from './pairing.ts'
import { type Step, scripted } from './script.ts'

/** Each effect of a tool is a line of a file: what ran, and how often. */
export function scenario(effects: string): Agent {
  const did = (what: string) => appendFileSync(effects, `${what}\n`)
  const charge = defineTool({
    name: 'charge',
    description: 'Charges a card',
    input: z.object({ amount: z.number() }),
    execute: ({ amount }) => {
      did(`charge ${amount}`)
      return { charged: amount }
    },
  })
  const look = defineTool({
    name: 'look',
    description: 'Looks something up',
    input: z.object({ what: z.string() }),
    idempotent: true,
    execute: ({ what }, { idempotencyKey }) => {
      did(`look ${what} ${idempotencyKey}`)
      return { what }
    },
  })
  const send = defineTool({
    name: 'send',
    description: 'Sends a mail',
    input: z.object({ to: z.string() }),
    approval: 'always',
    execute: ({ to }) => {
      did(`send ${to}`)
      return 'sent'
    },
  })
  return defineAgent({
    id: 'worker',
    instructions: 'Do it.',
    model: scripted(({ prompt }) => next(prompt)),
    tools: [charge, look, send],
  })
}

/** What the model does depends on what it sees alone, so that it does not matter which process asks. */
function next(prompt: LanguageModelV4Prompt): Step {
  const faults = promptFaults(prompt)
  if (faults.length > 0) return { error: new Error(`refused: ${faults.join('; ')}`) }
  const done = new Set(
    prompt.flatMap(({ role, content }) => {
      if (role !== 'tool') return []
      return content.flatMap((part) => (part.type === 'tool-result' ? [part.toolName] : []))
    }),
  )
  if (!done.has('charge')) {
    return {
      text: 'I will charge and look it up.',
      calls: [
        { id: 'c1', name: 'charge', input: { amount: 5 } },
        { id: 'c2', name: 'look', input: { what: 'price' } },
      ],
    }
  }
  if (!done.has('send'))
    return { text: 'Now the mail.', calls: [{ id: 'c3', name: 'send', input: { to: 'ann' } }] }
  return { text: 'All of it is done.' }
}
