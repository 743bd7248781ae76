/**
 * What the provider says in the proof: what comes next after the calls that have results in the request, so that it does not
 * matter which process asks, or how often.
 */
import type { Asked, ProviderStub, ScriptedPart, ScriptedReply } from '@holdfast/agent/testing'
import type { Json, JsonObject } from '@holdfast/protocol'

export const mainModel = 'scripted-main'
export const helperModel = 'scripted-helper'

interface Move {
  /** Calls that this one makes, the first of which says that it was made. */
  calls: readonly [Call, ...Call[]]
  says: string
}

type Call = Extract<ScriptedPart, { type: 'tool_call' }>

const call = (name: string, input: Json): Call => ({ type: 'tool_call', callId: `${name}-1`, name, input })

const mainMoves: readonly Move[] = [
  {
    says: 'First I charge, and look.',
    calls: [call('charge', { what: 'card' }), call('look', { what: 'price' })],
  },
  { says: 'Now I ask.', calls: [call('ask_question', { question: 'Which?', options: ['this', 'that'] })] },
  {
    says: 'Somebody else may do a part.',
    calls: [call('spawn_child', { agent: 'helper', task: 'Charge the fee.' })],
  },
  { says: 'This grows long.', calls: [call('compact_context', { keep: 'what was done' })] },
  { says: 'At last the mail.', calls: [call('send', { what: 'mail' })] },
]

const helperMoves: readonly Move[] = [{ says: 'The fee.', calls: [call('charge', { what: 'fee' })] }]

/** `request`: the body of the request that is answered. */
export function replyTo({ model, toolNames }: Asked, request: JsonObject): ScriptedReply {
  const known = doneIn(request)
  if (model === mainModel && toolNames.length === 0)
    return said(
      `Done so far: ${mainMoves
        .map(nameOf)
        .filter((name) => known.has(name))
        .join(', ')}.`,
    )
  const moves = model === helperModel ? helperMoves : mainMoves
  const next = moves.find((move) => !known.has(nameOf(move)))
  if (!next) return said('All of it is done, and nothing is left to do.')
  return {
    parts: [{ type: 'reasoning', text: 'What is next?' }, { type: 'text', text: next.says }, ...next.calls],
  }
}

/** A script for a stub, which has put the request that it asks about last in its list. */
export function scriptFor(stub: () => ProviderStub): (asked: Asked) => ScriptedReply {
  return (asked) => replyTo(asked, stub().exchanges.at(-1)?.body ?? {})
}

function said(text: string): ScriptedReply {
  return { parts: [{ type: 'text', text }] }
}

function nameOf({ calls: [first] }: Move): string {
  return first.name
}

/** Names of tools that have a result here, or are told of in a summary, whoever wrote it. */
function doneIn(request: JsonObject): Set<string> {
  const text = JSON.stringify(request)
  const told = [...text.matchAll(/Done so far: ([\w, ]*)\.|Tools that ran: ([\w, ()]*)/g)]
  const called = [...text.matchAll(/\[calls (\w+) /g)].map(([, name]) => name ?? '')
  const answered = [...resultIds(request)].map((id) => id.replace(/-1$/, ''))
  const names = told.flatMap(([, done = '', ran = '']) => [...done.split(', '), ...ran.split(/ \(\d+\),? ?/)])
  return new Set([...names, ...called, ...answered])
}

const resultKeys = ['tool_use_id', 'tool_call_id'] as const

/** Ids of the calls that are answered in a request, of whatever provider. */
function* resultIds(value: Json): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const item of value) yield* resultIds(item)
    return
  }
  for (const key of resultKeys) if (typeof value[key] === 'string') yield value[key]
  if (value.type === 'function_call_output') yield String(value.call_id)
  for (const item of Object.values(value)) if (item !== undefined) yield* resultIds(item)
}
