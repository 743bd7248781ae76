/** A program whose loop is recorded and which kills itself at a named point of it: `node killed-loop.ts FILE POINT STUB`. */
import { createAnthropic } from '@ai-sdk/anthropic'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { generateText, isStepCount, jsonSchema, streamText, tool, wrapLanguageModel } from 'ai'
import { recordTo } from '../recorder.ts'
import type { KillPoint } from './kill-points.ts'

const [path = '', point = '', baseURL = ''] = process.argv.slice(2)

function reach(reached: KillPoint): void {
  if (reached === point) process.kill(process.pid, 'SIGKILL')
}

const holdfast = await openHoldfast({ store: sqlite(path) })
const session = await holdfast.sessions.create({ id: 'killed', agentId: 'loop' })
const recorder = recordTo(session, { ttlMs: 1_000 })
const anthropic = createAnthropic({
  ...{ baseURL, apiKey: 'k' },
  fetch: async (...request) => {
    reach(seen === 0 ? 'before the first call' : 'before the second call')
    return fetch(...request)
  },
})
let seen = 0
const look = tool({
  inputSchema: jsonSchema<{ at: string }>({ type: 'object', properties: { at: { type: 'string' } } }),
  execute: async ({ at }) => {
    if (at === 'a') reach('in a tool')
    else {
      await new Promise((resolve) => setTimeout(resolve, 30))
      reach('between two results')
    }
    seen += 1
    return `green ${at}`
  },
})

const loop = {
  ...{ tools: { look }, stopWhen: isStepCount(3), maxRetries: 0, prompt: 'look at both' },
  model: wrapLanguageModel({
    model: anthropic('claude-sonnet-4-5'),
    middleware: recorder.middleware,
  }),
  telemetry: { integrations: recorder.telemetry },
}

if (point === 'after a whole loop') await generateText(loop)
else {
  for await (const part of streamText(loop).stream) {
    if (part.type !== 'text-delta') continue
    // Long enough for the draft, and not for the answer.
    await new Promise((resolve) => setTimeout(resolve, 50))
    if (seen === 0) reach('in the first stream')
    else reach('in the second stream')
  }
}
reach('after a whole loop')
await holdfast.close()
